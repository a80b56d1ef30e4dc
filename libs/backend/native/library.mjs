// libtensorflow from the PyPI wheel: downloaded by pip (pinned by hash), unpacked into the cache, stripped.
import fs from 'node:fs';
import path from 'node:path';
import { publish } from './cache.mjs';
import { describeOutcome, runCommand } from './command.mjs';
import { TENSORFLOW_VERSION, WHEELS, WHEEL_TAGS } from './pins.mjs';
import { NativeProblem } from './problem.mjs';
import { extractZipMember, readZipDirectory } from './zip.mjs';

const PROBE_TIMEOUT_MS = 30_000;
const DOWNLOAD_TIMEOUT_MS = 20 * 60_000;
const STRIP_TIMEOUT_MS = 2 * 60_000;
const SCRATCH_PREFIX = '.unpacking-';
const STAMP = 'lockstep-library.json';

// The two libraries, the headers that the addon's sources include, and what the licence asks to travel along.
const WANTED = new RegExp('^tensorflow/('
  + 'libtensorflow_(?:cc|framework)\\.so\\.2'
  + '|include/(?:tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c|absl)/.*\\.(?:h|inc)'
  + '|THIRD_PARTY_NOTICES\\.txt)$');
// -ltensorflow wants the C library's own name; the wheel calls it libtensorflow_cc.
const LINKS = [
  ['libtensorflow.so', 'libtensorflow_cc.so.2'],
  ['libtensorflow.so.2', 'libtensorflow_cc.so.2'],
  ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
];

/** Where the library of a variant ('cpu' or 'gpu') lies in the cache. */
export function libraryPaths(root, variant) {
  const dir = path.join(root, `${WHEELS[variant].distribution}-${TENSORFLOW_VERSION}`);
  return { dir, lib: path.join(dir, 'lib'), include: path.join(dir, 'include') };
}

/** True when every unpacked file is there with the size that it was unpacked to, by the selection and from the wheel of now. */
export function libraryIsComplete(root, variant) {
  const { dir } = libraryPaths(root, variant);
  const stamp = readStamp(path.join(dir, STAMP));
  return stamp !== undefined && stamp.sha256 === WHEELS[variant].sha256 && stamp.wanted === WANTED.source
    && stamp.files.every(({ name, sizeBytes }) => fs.statSync(path.join(dir, name), { throwIfNoEntry: false })?.size === sizeBytes);
}

function readStamp(file) {
  if (!fs.existsSync(file)) return undefined;
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // cut off by a full disk: unpack again
    throw error;
  }
}

/** Throws unless python3 and its pip run. @returns {Promise<{python: string, pip: string}>} their versions */
export async function probePython(env) {
  const python = await runCommand('python3', ['--version'], { env, timeoutMs: PROBE_TIMEOUT_MS });
  if (python.kind !== 'exited' || python.code !== 0) {
    throw new NativeProblem('no-python', `python3 is needed to download TensorFlow's library from PyPI and is not there (python3 ${describeOutcome(python)}); install it, for example: apt-get install python3 python3-pip`);
  }
  const pip = await runCommand('python3', ['-m', 'pip', '--version'], { env, timeoutMs: PROBE_TIMEOUT_MS });
  if (pip.kind !== 'exited' || pip.code !== 0) {
    throw new NativeProblem('no-pip', `python3 has no pip, which downloads TensorFlow's library from PyPI (python3 -m pip ${describeOutcome(pip)}); install it, for example: apt-get install python3-pip`);
  }
  return { python: firstWord(python.stdout, 1), pip: firstWord(pip.stdout, 1) };
}

const firstWord = (text, index) => text.trim().split(/\s+/)[index] ?? 'unknown';

/** Downloads, unpacks and publishes the library of `variant`. The caller holds the cache's lock. */
export async function installLibrary(root, variant, { env, say }) {
  const wheel = WHEELS[variant];
  // What a killed run left; under the lock nobody else unpacks.
  for (const name of fs.readdirSync(root).filter((entry) => entry.startsWith(SCRATCH_PREFIX))) fs.rmSync(path.join(root, name), { recursive: true, force: true });
  const scratch = fs.mkdtempSync(path.join(root, SCRATCH_PREFIX));
  try {
    const file = await downloadWheel(scratch, wheel, { env, say });
    const prepared = path.join(scratch, 'library');
    say(`unpacking ${path.basename(file)} (${megabytes(fs.statSync(file).size)} MB)`);
    for (const member of readZipDirectory(file)) {
      const name = WANTED.exec(member.name)?.[1];
      if (name === undefined) continue;
      await extractZipMember(file, member, path.join(prepared, name.startsWith('lib') ? path.join('lib', name) : name));
    }
    fs.rmSync(file);
    await stripLibraries(path.join(prepared, 'lib'), { env, say });
    for (const [link, target] of LINKS) fs.symlinkSync(target, path.join(prepared, 'lib', link));
    const files = listFiles(prepared).map((name) => ({ name, sizeBytes: fs.statSync(path.join(prepared, name)).size }));
    fs.writeFileSync(path.join(prepared, STAMP), JSON.stringify({ ...wheel, version: TENSORFLOW_VERSION, wanted: WANTED.source, files }, null, 1));
    publish(prepared, libraryPaths(root, variant).dir);
    say(`library ready: ${files.length} files, ${megabytes(files.reduce((sum, f) => sum + f.sizeBytes, 0))} MB`);
  } catch (error) {
    if (error.code === 'ENOSPC') throw new NativeProblem('disk', `the disk of ${root} is full; about 1.5 GB are needed for a moment, 0.7 GB afterwards (LOCKSTEP_NATIVE_CACHE chooses another folder)`);
    throw error;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

const megabytes = (sizeBytes) => (sizeBytes / 1e6).toFixed(0);

async function downloadWheel(scratch, wheel, { env, say }) {
  const requirements = path.join(scratch, 'requirements.txt');
  fs.writeFileSync(requirements, `${wheel.distribution}==${TENSORFLOW_VERSION} --hash=sha256:${wheel.sha256}\n`);
  say(`downloading ${wheel.distribution} ${TENSORFLOW_VERSION} from PyPI (${wheel.downloadMegabytes} MB, once per user)`);
  const onTerminal = process.stdout.isTTY === true;
  const outcome = await runCommand('python3', [
    '-m', 'pip', 'download', '--disable-pip-version-check', ...(onTerminal ? [] : ['--quiet']), '--no-deps', '--only-binary=:all:',
    '--require-hashes', ...WHEEL_TAGS, '--dest', scratch, '--requirement', requirements,
  ], { env, timeoutMs: DOWNLOAD_TIMEOUT_MS, showOutput: onTerminal });
  if (outcome.kind !== 'exited' || outcome.code !== 0) {
    throw new NativeProblem('download', `${wheel.distribution} ${TENSORFLOW_VERSION} could not be downloaded from PyPI: pip ${describeOutcome(outcome, 2)}; check the network and pip's index settings (python3 -m pip config list)`);
  }
  const name = fs.readdirSync(scratch).find((entry) => entry.endsWith('.whl'));
  if (name === undefined) throw new NativeProblem('download', `pip ended well but left no wheel of ${wheel.distribution} ${TENSORFLOW_VERSION}; run: npm run native -- --force`);
  return path.join(scratch, name);
}

/** Drops symbols that only debuggers read: a fifth of the size. Without `strip` the library works the same. */
async function stripLibraries(lib, { env, say }) {
  for (const name of fs.readdirSync(lib)) {
    const outcome = await runCommand('strip', ['--strip-unneeded', path.join(lib, name)], { env, timeoutMs: STRIP_TIMEOUT_MS });
    if (outcome.kind !== 'exited' || outcome.code !== 0) say(`${name} keeps its debugger symbols: strip ${describeOutcome(outcome)}`);
  }
}

const listFiles = (dir) => fs.readdirSync(dir, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(dir, path.join(entry.parentPath ?? entry.path, entry.name)))
  .sort();
