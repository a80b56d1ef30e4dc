#!/usr/bin/env node
// `npm run demo`: from a fresh clone to a trained, versioned model, with the same bytes on one, two and three workers.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const cli = path.join(root, 'services', 'cli', 'bin', 'lockstep.cjs');
const dots = process.stdout.isTTY ? (text) => `\u001b[1m${text}\u001b[0m` : (text) => text;
const say = (text = '') => console.log(text);

function must(title, argv) {
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`demo: ${title} failed`);
    process.exit(status ?? 1);
  }
}

must('the native set-up', ['libs/backend/native/native.mjs', '--best-effort']);
say('build: compiling (a few seconds the first time)');
must('the contract', ['libs/contract/generate.mjs']);
must('the build', ['node_modules/typescript/bin/tsc', '-b']);

const started = performance.now();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-demo-'));
const data = path.join(folder, 'cluster');
const env = { ...process.env, LOCKSTEP_DATA: data };
let cluster;

/** Shows a command as one would type it, runs it, and gives its JSON documents when they are wanted. */
function lockstep(args, { json = false, quiet = false, show = args } = {}) {
  if (!quiet) say(`\n${dots(`$ lockstep ${show.map((a) => (/[^\w./:@=-]/.test(a) ? `'${a}'` : a)).join(' ')}`)}`);
  const result = spawnSync(process.execPath, [cli, ...args, ...(json ? ['--json'] : [])], { cwd: root, env, stdio: ['ignore', json ? 'pipe' : 'inherit', 'inherit'], encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`lockstep ${args[0]} ended with ${result.status ?? result.signal}`);
  return json ? result.stdout.trim().split('\n').map((line) => JSON.parse(line)) : [];
}

/** Starts `lockstep up` and waits until it is ready. */
async function up(workers) {
  say(dots(`$ lockstep up --workers ${workers}`));
  cluster = spawn(process.execPath, [cli, 'up', '--workers', String(workers)], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    cluster.once('exit', (code) => reject(new Error(`the cluster ended with ${code}`)));
    createInterface({ input: cluster.stdout }).on('line', (line) => {
      say(line);
      if (line.startsWith('Ready')) resolve();
    });
  });
}

async function down() {
  if (!cluster || cluster.exitCode !== null) return;
  const ended = new Promise((resolve) => cluster.once('exit', resolve));
  cluster.kill('SIGINT');
  await ended;
}

const train = (workers) => ['train', 'integration/demo/penguins.ts', '--examples', 'penguins', '--output', `penguins-on-${workers}`, '--workers', String(workers), '--seed', '7'];

try {
  await up(3);
  lockstep(['examples', 'import', 'node_modules/vega-datasets/data/penguins.json', '--name', 'penguins', '--require', 'Beak Length (mm)']);
  lockstep(train(2));
  say('\nThe same job on one worker, and on three:');
  const digests = new Map();
  for (const workers of [1, 3]) {
    const last = lockstep(train(workers), { json: true }).at(-1);
    digests.set(workers, last.result.modelDigest);
    say(`digest     ${last.result.modelDigest}`);
  }
  digests.set(2, lockstep(['artifacts', 'show', 'penguins-on-2'], { json: true, quiet: true })[0].digest);
  lockstep(['artifacts', 'get', 'penguins-on-2', '--to', path.join(folder, 'model')], { show: ['artifacts', 'get', 'penguins-on-2', '--to', './model'] });
  const same = new Set(digests.values()).size === 1;
  say(`\n${same ? 'Equal: one, two and three workers made the same bytes.' : `NOT equal: ${JSON.stringify([...digests])}`}`);
  say(`demo: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  process.exitCode = same ? 0 : 1;
} catch (e) {
  console.error(`demo: ${e.message}; the services' logs are in ${path.join(data, 'logs')}`);
  process.exitCode = 1;
} finally {
  await down();
  if (process.exitCode === 0) fs.rmSync(folder, { recursive: true, force: true });
}
