// What the demos share: set-up, a cluster, and commands that are shown as one would type them.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const cli = path.join(root, 'services', 'cli', 'bin', 'lockstep.cjs');
export const bold = process.stdout.isTTY ? (text) => `\u001b[1m${text}\u001b[0m` : (text) => text;
export const say = (text = '') => console.log(text);

function must(title, argv) {
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`demo: ${title} failed`);
    process.exit(status ?? 1);
  }
}

/** The native backend where it can be had, and the build. */
export function prepare() {
  must('the native set-up', ['libs/backend/native/native.mjs', '--best-effort']);
  say('build: compiling (a few seconds the first time)');
  must('the contract', ['libs/contract/generate.mjs']);
  must('the build', ['node_modules/typescript/bin/tsc', '-b']);
}

/** A cluster in a folder of its own, and the command line against it. */
export class DemoCluster {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-demo-'));
  data = path.join(this.folder, 'cluster');
  env = { ...process.env, LOCKSTEP_DATA: this.data };

  /** Shows a command as one would type it, runs it, and gives its JSON documents when they are wanted. */
  lockstep(args, { json = false, quiet = false, show = args } = {}) {
    if (!quiet) say(`\n${bold(`$ lockstep ${show.map((a) => (/[^\w./:@=-]/.test(a) ? `'${a}'` : a)).join(' ')}`)}`);
    const result = spawnSync(process.execPath, [cli, ...args, ...(json ? ['--json'] : [])], { cwd: root, env: this.env, stdio: ['ignore', json ? 'pipe' : 'inherit', 'inherit'], encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`lockstep ${args[0]} ended with ${result.status ?? result.signal}`);
    return json ? result.stdout.trim().split('\n').map((line) => JSON.parse(line)) : [];
  }

  /** Starts `lockstep up` and waits until it is ready. */
  async up(workers) {
    say(bold(`$ lockstep up --workers ${workers}`));
    this.process = spawn(process.execPath, [cli, 'up', '--workers', String(workers)], { cwd: root, env: this.env, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      this.process.once('exit', (code) => reject(new Error(`the cluster ended with ${code}`)));
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        say(line);
        if (line.startsWith('Ready')) resolve();
      });
    });
  }

  async down() {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGINT');
    await ended;
  }
}

/** Runs a demo against a cluster, and cleans up after it. @param scene returns whether it showed what it promises */
export async function demo(scene) {
  prepare();
  const started = performance.now();
  const cluster = new DemoCluster();
  try {
    const shown = await scene(cluster);
    say(`demo: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    process.exitCode = shown ? 0 : 1;
  } catch (e) {
    console.error(`demo: ${e.message}; the services' logs are in ${path.join(cluster.data, 'logs')}`);
    process.exitCode = 1;
  } finally {
    await cluster.down();
    if (process.exitCode === 0) fs.rmSync(cluster.folder, { recursive: true, force: true });
  }
}
