#!/usr/bin/env node
// `npm run native`: builds the native backend (tfjs-node's addon against TensorFlow's library) from package registries alone.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { addonPackageDir, cachedAddon, compileAddon, findNodeHeaders, installedAddon, installedVariant, placeAddon, probeCompiler, removeAddon } from './addon.mjs';
import { cacheRoot, openCache, withLock } from './cache.mjs';
import { checkAddon } from './check.mjs';
import { installLibrary, libraryIsComplete, libraryPaths, probePython } from './library.mjs';
import { ADDON_PACKAGE, TENSORFLOW_VERSION } from './pins.mjs';
import { NativeProblem } from './problem.mjs';

const HELP = `Builds the native TensorFlow.js backend: the addon of ${ADDON_PACKAGE.name} ${ADDON_PACKAGE.version} against TensorFlow ${TENSORFLOW_VERSION}'s C library
from PyPI. Needs python3 with pip, g++ and Node's headers, on linux-x64. What is built is cached per user and shared by all
checkouts; a second run takes a second.

usage: npm run native [-- flags]
  --gpu          build against the GPU wheel (572 MB; a GPU needs NVIDIA's driver and the CUDA 12 libraries)
  --force        download and compile again
  --check        build nothing: say what is installed and whether it works (exit 1 if it does not)
  --json         with --check: print one JSON object
  --best-effort  never fail: print one line that says why not, and exit 0
  --help         this text

environment
  LOCKSTEP_NATIVE=0          do not build
  LOCKSTEP_NATIVE_CACHE=DIR  where the library (0.7 GB) and the addon are kept; default: ~/.cache/lockstep/native

examples
  npm run native
  npm run native -- --check`;

const startedAt = performance.now();
const say = (text) => console.log(`native: ${((performance.now() - startedAt) / 1000).toFixed(1)} s  ${text}`);

const OPTIONS = Object.fromEntries(['gpu', 'force', 'check', 'json', 'best-effort', 'help'].map((name) => [name, { type: 'boolean', default: false }]));

function readFlags() {
  try {
    return parseArgs({ options: OPTIONS, strict: true }).values;
  } catch (error) {
    console.error(`native: ${error.message}\nRun npm run native -- --help for the flags.`);
    process.exit(2);
  }
}

function refuseIfOptedOut(env) {
  const value = env.LOCKSTEP_NATIVE ?? '';
  if (value === '0') throw new NativeProblem('opted-out', 'LOCKSTEP_NATIVE=0');
  if (value !== '' && value !== '1') throw new NativeProblem('bad-setting', `LOCKSTEP_NATIVE is ${JSON.stringify(value)}; set it to 0 (do not build) or 1 (the default)`);
}

function refusePlatform() {
  const here = `${process.platform}-${process.arch}`;
  if (here !== 'linux-x64') throw new NativeProblem('platform', `the native backend is built on linux-x64 only, and this is ${here}`);
}

/** Builds what is missing, puts the addon into the package and checks it. */
async function setUp(flags, env) {
  refuseIfOptedOut(env);
  refusePlatform();
  const packageDir = addonPackageDir();
  // Best effort runs on its own before the demo and the tests: it leaves a GPU addon that somebody asked for.
  const variant = flags.gpu || (flags['best-effort'] && installedVariant(packageDir) === 'gpu') ? 'gpu' : 'cpu';
  const root = cacheRoot(env);
  const cached = cachedAddon(root, variant, packageDir);
  const isReady = () => libraryIsComplete(root, variant) && fs.existsSync(cached);
  if (flags.force || !isReady()) {
    openCache(root, 'LOCKSTEP_NATIVE_CACHE');
    await withLock(root, (holder) => say(`waiting for ${holder}, which builds the same`), async () => {
      if (flags.force || !libraryIsComplete(root, variant)) {
        // Everything that is needed is asked for before the long download.
        await probePython(env);
        await probeCompiler(env);
        findNodeHeaders();
        await installLibrary(root, variant, { env, say });
      }
      if (flags.force || !fs.existsSync(cached)) {
        await probeCompiler(env);
        await compileAddon(root, variant, packageDir, { env, say });
      }
    });
  }
  const copied = placeAddon(cached, variant, packageDir);
  let checked;
  try {
    checked = await checkAddon(packageDir, env);
  } catch (error) {
    removeAddon(packageDir);
    throw error;
  }
  say(`${copied ? 'installed' : 'up to date'}: TensorFlow ${checked.tensorflow} (${variant}${checked.gpu ? ', using the GPU' : ''}), kept in ${root}`);
  if (variant === 'gpu' && !checked.gpu) say('TensorFlow found no usable GPU and runs on the CPU: the NVIDIA driver and CUDA 12 libraries must be installed and on LD_LIBRARY_PATH');
}

/** What is installed, what a build would need, and whether both work: data for `lockstep doctor`. */
async function report(env) {
  const attempt = async (work) => {
    try {
      return { ok: true, ...(await work()) };
    } catch (error) {
      if (!(error instanceof NativeProblem)) throw error;
      return { ok: false, reason: error.reason, problem: error.message };
    }
  };
  const root = cacheRoot(env);
  return {
    cache: root,
    variant: (await attempt(async () => ({ installed: installedVariant(addonPackageDir()) }))).installed ?? null,
    wanted: await attempt(async () => refuseIfOptedOut(env)),
    platform: await attempt(async () => refusePlatform()),
    python: await attempt(() => probePython(env)),
    compiler: await attempt(async () => ({ version: await probeCompiler(env) })),
    headers: await attempt(async () => ({ dir: findNodeHeaders() })),
    libraries: ['cpu', 'gpu'].filter((variant) => libraryIsComplete(root, variant)).map((variant) => libraryPaths(root, variant).dir),
    addon: await attempt(async () => {
      const packageDir = addonPackageDir();
      const { file } = installedAddon(packageDir);
      if (!fs.existsSync(file)) throw new NativeProblem('no-package', 'the native addon is not built');
      return { file, ...(await checkAddon(packageDir, env)) };
    }),
  };
}

async function check(flags, env) {
  const found = await report(env);
  if (flags.json) {
    console.log(JSON.stringify(found));
  } else {
    for (const [name, part] of Object.entries(found)) {
      if (part !== null && typeof part === 'object' && 'ok' in part) {
        const { ok, problem, ...facts } = part;
        say(`${name}: ${ok ? ['ok', ...Object.entries(facts).map(([key, value]) => `${key} ${value}`)].join(', ') : problem}`);
      } else {
        say(`${name}: ${Array.isArray(part) ? part.join(', ') || 'none' : part ?? 'none'}`);
      }
    }
  }
  return found.addon.ok ? 0 : 1;
}

const flags = readFlags();
if (flags.help) {
  console.log(HELP);
} else {
  try {
    process.exitCode = flags.check ? await check(flags, process.env) : (await setUp(flags, process.env), 0);
  } catch (error) {
    if (!(error instanceof NativeProblem) && !flags['best-effort']) throw error;
    if (flags['best-effort'] || error.reason === 'opted-out') {
      console.log(`native: not built: ${error.message}. Lockstep uses the wasm backend instead: dense layers run about 6 times slower, and convolutions and embeddings do not train.`);
    } else {
      console.error(`native: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
