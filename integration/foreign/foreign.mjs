// Where the programs of other makers are that the interop tests and benchmarks use. Read by install.mjs, .ci/test.mjs and integration/bench.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** $LOCKSTEP_FOREIGN_CACHE, else <user cache>/lockstep/foreign. */
export function foreignCache(env) {
  if (isSet(env.LOCKSTEP_FOREIGN_CACHE)) return path.resolve(env.LOCKSTEP_FOREIGN_CACHE);
  const user = isSet(env.XDG_CACHE_HOME) ? path.resolve(env.XDG_CACHE_HOME) : path.join(os.homedir(), '.cache');
  return path.join(user, 'lockstep', 'foreign');
}

const isSet = (value) => value !== undefined && value !== '';

/** The file in which install.mjs says what it found. */
export const reportFile = (root) => path.join(root, 'foreign.json');

/** The Python that the last installation made: a link that stays when requirements change. */
export const pythonExecutable = (root) => path.join(root, 'current', 'bin', 'python');

/**
 * What the last installation left.
 * @returns {{python: {kind: 'installed', executable: string} | {kind: 'missing', why: string}}}
 */
export function readForeign(env) {
  const file = reportFile(foreignCache(env));
  if (!fs.existsSync(file)) return { python: { kind: 'missing', why: 'node integration/foreign/install.mjs has not run' } };
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/** The variables by which test processes learn it: the executable, or why there is none. */
export function foreignEnvironment(env) {
  const { python } = readForeign(env);
  return python.kind === 'installed' ? { LOCKSTEP_PYTHON: python.executable } : { LOCKSTEP_PYTHON: '', LOCKSTEP_PYTHON_MISSING: python.why };
}
