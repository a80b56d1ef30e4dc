// Installs the rivals of the suite `search` into the user's cache, apart from what the interop tests need: Python environments of pinned
// versions, made once. What cannot be installed is an error that says what to do.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCache, withLock } from '../../../libs/backend/native/cache.mjs';
import { describeOutcome, runCommand } from '../../../libs/backend/native/command.mjs';
import { foreignCache } from '../../foreign/foreign.mjs';
import { BenchError } from './bench-error.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const PROBE_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 20 * 60_000;
const STAMP = 'lockstep-complete';

/** Debian's interpreter for Optuna: python3-torch installs for no other, and the registry's torch for Linux is of several GB. */
const RIVALS = {
  kerastuner: {
    pythons: ['python3.13', 'python3.12', 'python3.11', 'python3'], probe: 'import sys, venv, ensurepip; assert (3, 11) <= sys.version_info[:2] <= (3, 13)',
    hint: 'install Python 3.11, 3.12 or 3.13 with venv', venv: [], check: 'import keras_tuner, sklearn', env: { KERAS_BACKEND: 'jax' },
  },
  optuna: {
    pythons: ['/usr/bin/python3'], probe: 'import venv, ensurepip, torch', hint: 'on Debian: apt-get install -y --no-install-recommends python3-torch python3-venv',
    venv: ['--system-site-packages'], check: 'import optuna, scipy, torch', env: {},
  },
};

/**
 * @param {(line: string) => void} report
 * @returns {Promise<Record<'kerastuner' | 'optuna', {python: string, env: Record<string, string>}>>}
 */
export async function installRivals(report) {
  const root = path.join(foreignCache(process.env), 'search-rivals');
  openCache(root, 'LOCKSTEP_FOREIGN_CACHE');
  return withLock(root, (holder) => { report(`waiting for ${holder}, which installs the same`); }, async () => ({
    kerastuner: await install(root, 'kerastuner', report),
    optuna: await install(root, 'optuna', report),
  }));
}

/** An environment cannot be moved: it is made in its place and is complete when its stamp is there. */
async function install(root, name, report) {
  const { pythons, probe, hint, venv, check, env } = RIVALS[name];
  const requirements = path.join(here, '..', `search-requirements-${name}.txt`);
  const base = await findPython(name, pythons, probe, hint);
  const digest = createHash('sha256').update(base).update(fs.readFileSync(requirements)).digest('hex').slice(0, 12);
  const dir = path.join(root, `${name}-${digest}`);
  const python = path.join(dir, 'bin', 'python');
  if (!fs.existsSync(path.join(dir, STAMP))) {
    report(`installing the rival ${name} (once per user)`);
    fs.rmSync(dir, { recursive: true, force: true });
    await must(name, base, ['-m', 'venv', ...venv, dir], env);
    await must(name, python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', '-r', requirements], env);
    await must(name, python, ['-c', check], env);
    fs.writeFileSync(path.join(dir, STAMP), '');
  }
  return { python, env };
}

async function findPython(name, pythons, probe, hint) {
  for (const python of pythons) {
    const outcome = await runCommand(python, ['-c', probe], { env: process.env, timeoutMs: PROBE_TIMEOUT_MS });
    if (outcome.kind === 'exited' && outcome.code === 0) return python;
  }
  throw new BenchError(`the rival ${name} cannot be installed: none of ${pythons.join(', ')} will do; ${hint}`);
}

async function must(name, file, argv, env) {
  const outcome = await runCommand(file, argv, { env: { ...process.env, ...env }, timeoutMs: INSTALL_TIMEOUT_MS });
  if (outcome.kind !== 'exited' || outcome.code !== 0) throw new BenchError(`the rival ${name} could not be installed: ${path.basename(file)} ${argv.slice(0, 3).join(' ')} ${describeOutcome(outcome)}`);
}
