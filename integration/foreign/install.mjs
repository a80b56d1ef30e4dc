#!/usr/bin/env node
// Installs what the interop tests need from package registries into a cache of the user. Idempotent; what cannot be installed is named,
// here and in foreign.json, and the tests that need it are counted as skipped with that reason.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCache, withLock } from '../../libs/backend/native/cache.mjs';
import { describeOutcome, runCommand } from '../../libs/backend/native/command.mjs';
import { NativeProblem } from '../../libs/backend/native/problem.mjs';
import { foreignCache, pythonExecutable, reportFile } from './foreign.mjs';
import { installPostgres } from './postgres.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const REQUIREMENTS = ['requirements.txt', 'requirements-no-deps.txt'];
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const MINOR_MIN = 10;
const MINOR_MAX = 13;
const PROBE_TIMEOUT_MS = 30_000;
const INSTALL_TIMEOUT_MS = 20 * 60_000;
const UNUSED_MAX_MS = 30 * 24 * 3600_000;
const STAMP = 'lockstep-complete';

const startedAt = performance.now();
const say = (text) => console.log(`foreign: ${((performance.now() - startedAt) / 1000).toFixed(1)} s  ${text}`);

/** A reason why something is not installed; the message is shown with every test that is skipped for it. */
class Missing extends Error {}

async function must(what, file, argv) {
  const outcome = await runCommand(file, argv, { env: process.env, timeoutMs: INSTALL_TIMEOUT_MS });
  if (outcome.kind !== 'exited' || outcome.code !== 0) throw new Missing(`${what}: ${path.basename(file)} ${describeOutcome(outcome)}`);
}

/** The first Python that TensorFlow's wheels are made for. */
async function findPython() {
  const seen = [];
  for (const name of PYTHONS) {
    const outcome = await runCommand(name, ['-c', 'import sys, ensurepip, venv; print(sys.version_info[0], sys.version_info[1])'], { env: process.env, timeoutMs: PROBE_TIMEOUT_MS });
    if (outcome.kind !== 'exited' || outcome.code !== 0) {
      if (outcome.kind !== 'missing') seen.push(`${name} ${describeOutcome(outcome, 1)}`);
      continue;
    }
    const [major, minor] = outcome.stdout.trim().split(' ').map(Number);
    if (major === 3 && minor >= MINOR_MIN && minor <= MINOR_MAX) return { name, version: `${major}.${minor}` };
    seen.push(`${name} is ${major}.${minor}`);
  }
  throw new Missing(`no Python from 3.${MINOR_MIN} to 3.${MINOR_MAX} with venv and ensurepip (${seen.join('; ') || 'no python3 at all'}); install it, for example: apt-get install python3 python3-venv`);
}

const requirementsDigest = (version) => {
  const digest = createHash('sha256').update(version);
  for (const name of REQUIREMENTS) digest.update(fs.readFileSync(path.join(here, name)));
  return digest.digest('hex').slice(0, 12);
};

/** A virtual environment cannot be moved: it is made in its place and is complete when its stamp is there. */
async function installPython(root, force) {
  const python = await findPython();
  const name = `python-${python.version}-${requirementsDigest(python.version)}`;
  const dir = path.join(root, name);
  const executable = path.join(dir, 'bin', 'python');
  if (force || !fs.existsSync(path.join(dir, STAMP))) {
    fs.rmSync(dir, { recursive: true, force: true });
    say(`installing TensorFlow, tf_keras, KerasTuner, NumPy and gRPC for Python ${python.version} (about 30 s, 1.6 GB, once per user)`);
    await must('a virtual environment could not be made', python.name, ['-m', 'venv', dir]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    await must('requirements.txt could not be installed', executable, [...pip, '-r', path.join(here, 'requirements.txt')]);
    await must('requirements-no-deps.txt could not be installed', executable, [...pip, '--no-deps', '-r', path.join(here, 'requirements-no-deps.txt')]);
    await must('TensorFlow was installed and does not run', executable, ['-c', 'import tensorflow, tf_keras, keras_tuner, grpc, google.protobuf']);
  }
  fs.writeFileSync(path.join(dir, STAMP), ''); // also says that it was used today
  linkCurrent(root, name);
  forgetUnused(root, name);
  return pythonExecutable(root);
}

function linkCurrent(root, name) {
  const prepared = path.join(root, `.current-${process.pid}`);
  fs.symlinkSync(name, prepared);
  fs.renameSync(prepared, path.join(root, 'current'));
}

/** Environments of other requirements, of which no run made use for a month. */
function forgetUnused(root, kept) {
  for (const name of fs.readdirSync(root)) {
    const stamp = path.join(root, name, STAMP);
    if (!name.startsWith('python-') || name === kept || !fs.existsSync(stamp)) continue;
    if (Date.now() - fs.statSync(stamp).mtimeMs > UNUSED_MAX_MS) fs.rmSync(path.join(root, name), { recursive: true, force: true });
  }
}

async function main() {
  const flags = process.argv.slice(2);
  const unknown = flags.find((flag) => flag !== '--force' && flag !== '--help');
  if (unknown !== undefined) {
    console.error(`foreign: unknown flag ${unknown}; the flags are --force and --help`);
    return 2;
  }
  if (flags.includes('--help')) {
    console.log('Installs what the interop tests need (Python\'s TensorFlow; PostgreSQL where the system has none) into $LOCKSTEP_FOREIGN_CACHE, else ~/.cache/lockstep/foreign.\nusage: node integration/foreign/install.mjs [--force]');
    return 0;
  }
  const root = foreignCache(process.env);
  openCache(root, 'LOCKSTEP_FOREIGN_CACHE');
  return withLock(root, (holder) => { say(`waiting for ${holder}, which installs the same`); }, async () => {
    let python;
    try {
      python = { kind: 'installed', executable: await installPython(root, flags.includes('--force')) };
      say(`Python with TensorFlow: ${python.executable}`);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      python = { kind: 'missing', why: error.message };
      say(`Python with TensorFlow is not installed; the tests that need it are skipped: ${error.message}`);
    }
    const postgres = await installPostgres(root, process.env, say);
    say(postgres.kind === 'installed' ? `PostgreSQL: ${postgres.folder}` : `PostgreSQL is not installed; the tests that need it are skipped: ${postgres.why}`);
    fs.writeFileSync(reportFile(root), `${JSON.stringify({ python }, null, 1)}\n`);
    return 0;
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof NativeProblem)) throw error;
  console.error(`foreign: ${error.message}`);
  process.exitCode = 1;
}
