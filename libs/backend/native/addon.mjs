// tfjs-node's own addon sources, unchanged, with one of ours (log-level.cc), compiled against the cached library; kept in the cache and
// copied into the package.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { publish } from './cache.mjs';
import { describeOutcome, runCommand } from './command.mjs';
import { libraryPaths } from './library.mjs';
import { ADDON_PACKAGE, WHEELS } from './pins.mjs';
import { NativeProblem } from './problem.mjs';

const PROBE_TIMEOUT_MS = 30_000;
const COMPILE_TIMEOUT_MS = 5 * 60_000;
const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];
const LOG_LEVEL_SOURCE = fileURLToPath(new URL('./log-level.cc', import.meta.url));
const ADDON_FILE = 'tfjs_binding.node';
const require = createRequire(import.meta.url);

/** The folder of the installed tfjs-node. */
export function addonPackageDir() {
  let manifest;
  try {
    manifest = require.resolve(`${ADDON_PACKAGE.name}/package.json`);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    throw new NativeProblem('no-package', `${ADDON_PACKAGE.name} is not installed; run: npm ci`);
  }
  const { version } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
  if (version !== ADDON_PACKAGE.version) throw new NativeProblem('no-package', `${ADDON_PACKAGE.name} is ${version}, and ${ADDON_PACKAGE.version} is built here; run: npm ci`);
  return path.dirname(manifest);
}

/** The file that `require('@tensorflow/tfjs-node')` loads, and the note beside it that says what it was built from. */
export function installedAddon(packageDir) {
  const file = path.join(packageDir, 'lib', `napi-v${ADDON_PACKAGE.napi}`, ADDON_FILE);
  return { file, note: `${file}.lockstep.json` };
}

/** The variant ('cpu' or 'gpu') of the addon that is installed, or undefined. */
export function installedVariant(packageDir) {
  const { file, note } = installedAddon(packageDir);
  if (!fs.existsSync(file) || !fs.existsSync(note)) return undefined;
  const { variant } = JSON.parse(fs.readFileSync(note, 'utf8'));
  return variant;
}

/** Where Node keeps node_api.h. */
export function findNodeHeaders() {
  const candidates = [
    process.config.variables.nodedir && path.join(process.config.variables.nodedir, 'include', 'node'),
    path.join(path.dirname(fs.realpathSync(process.execPath)), '..', 'include', 'node'),
    '/usr/include/node', '/usr/include/nodejs/src',
  ].filter(Boolean);
  const found = candidates.find((dir) => fs.existsSync(path.join(dir, 'node_api.h')));
  if (found === undefined) {
    throw new NativeProblem('no-headers', `Node's header node_api.h is in none of ${candidates.join(', ')}; install the headers (Debian: libnode-dev; official builds of Node carry them in include/node)`);
  }
  return found;
}

/** Throws unless g++ runs. @returns {Promise<string>} its version */
export async function probeCompiler(env) {
  const outcome = await runCommand('g++', ['-dumpfullversion'], { env, timeoutMs: PROBE_TIMEOUT_MS });
  if (outcome.kind !== 'exited' || outcome.code !== 0) {
    throw new NativeProblem('no-compiler', `g++ is needed to compile tfjs-node's addon and is not there (g++ ${describeOutcome(outcome)}); install it, for example: apt-get install g++`);
  }
  return outcome.stdout.trim();
}

/** The compiled addon of `variant` in the cache. Its name is a digest of all that it is made of, the library's place (rpath) included. */
export function cachedAddon(root, variant, packageDir) {
  const { lib } = libraryPaths(root, variant);
  const digest = createHash('sha256').update(JSON.stringify([compilerFlags('', ''), lib, WHEELS[variant].sha256]));
  for (const name of fs.readdirSync(path.join(packageDir, 'binding')).sort()) digest.update(name).update(fs.readFileSync(path.join(packageDir, 'binding', name)));
  digest.update(fs.readFileSync(LOG_LEVEL_SOURCE));
  return path.join(root, `addon-${variant}-${digest.digest('hex').slice(0, 16)}.node`);
}

const compilerFlags = (nodeHeaders, include) => [
  '-std=c++17', '-O2', '-fPIC', '-shared', '-Wl,-z,initfirst', `-DNAPI_VERSION=${ADDON_PACKAGE.napi}`, '-w', `-I${nodeHeaders}`, `-I${include}`,
];

/** Compiles the addon of `variant` into the cache. The caller holds the cache's lock. */
export async function compileAddon(root, variant, packageDir, { env, say }) {
  const { lib, include } = libraryPaths(root, variant);
  const target = cachedAddon(root, variant, packageDir);
  const prepared = `${target}.compiling-${process.pid}`;
  const nodeHeaders = findNodeHeaders();
  say('compiling the addon of tfjs-node (about 10 s)');
  const outcome = await runCommand('g++', [
    ...compilerFlags(nodeHeaders, include), ...SOURCES.map((name) => path.join('binding', name)), LOG_LEVEL_SOURCE,
    '-o', prepared, `-L${lib}`, '-ltensorflow', '-ltensorflow_framework', `-Wl,-rpath,${lib}`,
  ], { cwd: packageDir, env, timeoutMs: COMPILE_TIMEOUT_MS });
  if (outcome.kind !== 'exited' || outcome.code !== 0) {
    fs.rmSync(prepared, { force: true });
    throw new NativeProblem('compile', `the addon of tfjs-node did not compile: g++ ${describeOutcome(outcome, 4)}`);
  }
  publish(prepared, target);
}

/** Copies the cached addon into the package unless the same bytes are there already. @returns {boolean} whether it copied */
export function placeAddon(cached, variant, packageDir) {
  const { file, note } = installedAddon(packageDir);
  const wanted = fs.readFileSync(cached);
  if (fs.existsSync(file) && installedVariant(packageDir) === variant && fs.readFileSync(file).equals(wanted)) return false;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (const [target, content] of [[file, wanted], [note, JSON.stringify({ variant, builtBy: 'npm run native', from: cached })]]) {
    const prepared = `${target}.${process.pid}`;
    fs.writeFileSync(prepared, content);
    publish(prepared, target);
  }
  return true;
}

/** Takes an addon that does not work out of the package, so that the other backends are chosen. */
export function removeAddon(packageDir) {
  const { file, note } = installedAddon(packageDir);
  fs.rmSync(file, { force: true });
  fs.rmSync(note, { force: true });
}
