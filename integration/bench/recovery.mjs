// What a disturbance costs: the time from a worker's death until the others step again, the pause that a joiner makes, and what checkpoints cost.
// There is no rival in it: those that a user can install restart the job. The targets are design/training.md's.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { quantile } from './lib/statistics.mjs';

export const needs = [];

const median = (samples) => quantile(samples, 0.5);
const percentile = (samples, percent) => quantile(samples, percent / 100);

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const cli = path.join(root, 'services', 'cli', 'bin', 'lockstep.cjs');

const children = (pid) => {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split('\n').map(Number).filter((child) => child > 0);
  } catch {
    return [];
  }
};

/** A cluster for the measurements, gone with them. */
class Cluster {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-recovery-'));
  data = path.join(this.folder, 'data');

  async start(workers) {
    this.process = spawn(process.execPath, [cli, 'up', '--json', '--workers', String(workers), '--data', this.data], { stdio: ['ignore', 'pipe', 'ignore'] });
    const line = await new Promise((resolve, reject) => {
      this.process.once('exit', (code) => reject(new Error(`lockstep up ended with ${code}`)));
      createInterface({ input: this.process.stdout }).once('line', resolve);
    });
    this.facts = JSON.parse(line);
  }

  run(args) {
    return spawn(process.execPath, [cli, ...args, '--data', this.data], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGINT');
    await ended;
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Runs the module that writes down when each of its steps ended, and does something to the workers on the way.
 *
 * @param act called at each event line of the job
 * @returns milliseconds of the day at which steps ended, by any member, in order
 */
async function trace(cluster, { name, workers, steps, flags = [] }, act = () => undefined) {
  const log = path.join(cluster.folder, `${name}.log`);
  fs.writeFileSync(log, '');
  const job = cluster.run(['train', path.join(root, 'integration', 'modules', 'traced.ts'), '--examples', 'penguins', '--output', name, '--workers', workers,
    '--config', JSON.stringify({ log, steps }), '--json', ...flags]);
  createInterface({ input: job.stdout }).on('line', (line) => act(JSON.parse(line), log));
  const code = await new Promise((resolve) => job.once('close', resolve));
  if (code !== 0) throw new Error(`the job ${name} ended with ${code}`);
  return fs.readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).sort((a, b) => a.ms - b.ms);
}

const row = (name, ours, unit, target) => ({ name, ours, rival: null, unit, ratio: ours / target, target: 1, limit: target, pass: ours <= target });

/** From the kill to the event that tells of it, and to the first step that the survivor ends. */
async function kills(cluster, rounds, report) {
  const [stepping, noticed] = [[], []];
  for (let round = 0; round < rounds; round++) {
    let killedMs;
    const steps = await trace(cluster, { name: `kill-${round}`, workers: '2', steps: 300 }, (event, log) => {
      if (event.memberLost) noticed.push(Date.now() - killedMs);
      if (killedMs !== undefined || event.stepsCommitted === undefined || fs.readFileSync(log, 'utf8').split('\n').length < 60) return;
      const victim = children(cluster.facts.pids['worker-2'])[0];
      killedMs = Date.now();
      process.kill(victim, 'SIGKILL');
    });
    const next = steps.find(({ ms, worker }) => worker === 'w1' && ms > killedMs + 5);
    stepping.push(next.ms - killedMs);
    report(`kill ${round + 1} of ${rounds}: the next step ended after ${(next.ms - killedMs).toFixed(0)} ms`);
  }
  return { stepping, noticed };
}

/** The longest time between two steps of the chief around the moment at which another worker joined. */
async function joins(cluster, rounds, report) {
  const pauses = [];
  for (let round = 0; round < rounds; round++) {
    let joinedMs;
    let [first] = [undefined];
    const steps = await trace(cluster, { name: `join-${round}`, workers: '1:2', steps: 700 }, (event) => {
      if (event.memberJoined) joinedMs ??= Date.now();
      first ??= event.stepsCommitted && Date.now();
      if (event.generationFormed && joinedMs === undefined && first === undefined) {
        // Both were free: the second goes at once, comes back, and joins.
        const victim = children(cluster.facts.pids['worker-2'])[0];
        if (victim) setTimeout(() => { try { process.kill(victim, 'SIGKILL'); } catch { /* it has ended */ } }, 300);
      }
    });
    const own = steps.filter(({ worker }) => worker === 'w1').map(({ ms }) => ms);
    const around = own.slice(1).map((ms, i) => ({ ms, gap: ms - own[i] })).filter(({ ms }) => joinedMs !== undefined && Math.abs(ms - joinedMs) < 1500);
    if (around.length === 0) continue;
    const usual = median(own.slice(1).map((ms, i) => ms - own[i]));
    pauses.push(Math.max(...around.map(({ gap }) => gap)) - usual);
    report(`join ${round + 1} of ${rounds}: a pause of ${pauses.at(-1).toFixed(0)} ms (a step takes ${usual.toFixed(1)} ms)`);
  }
  return pauses;
}

/** Step time with a checkpoint every 20 steps against none, in alternating jobs. */
async function checkpoints(cluster, rounds, report) {
  const stepMs = { with: [], without: [] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? ['with', 'without'] : ['without', 'with']) {
      const flags = kind === 'with' ? ['--checkpoint-steps', '20'] : ['--checkpoint-every', '24h'];
      const steps = await trace(cluster, { name: `checkpoint-${kind}-${round}`, workers: '1', steps: 400, flags });
      const own = steps.map(({ ms }) => ms).slice(50);
      stepMs[kind].push((own.at(-1) - own[0]) / (own.length - 1));
      report(`a step ${kind} checkpoints: ${stepMs[kind].at(-1).toFixed(3)} ms`);
    }
  }
  return (median(stepMs.with) / median(stepMs.without) - 1) * 100;
}

export async function suite({ quick, report }) {
  const rounds = quick ? 2 : 6;
  const cluster = new Cluster();
  await cluster.start(2);
  try {
    const imported = cluster.run(['examples', 'import', path.join(root, 'node_modules', 'vega-datasets', 'data', 'penguins.json'), '--name', 'penguins', '--require', 'Beak Length (mm)', '--json']);
    await new Promise((resolve) => imported.once('close', resolve));
    const { stepping, noticed } = await kills(cluster, rounds, report);
    const pauses = await joins(cluster, rounds, report);
    const cost = await checkpoints(cluster, quick ? 1 : 4, report);
    report(`kill to the event that tells of it: ${median(noticed).toFixed(0)} ms (p10 ${percentile(noticed, 10).toFixed(0)}, p90 ${percentile(noticed, 90).toFixed(0)}), target <= 1000`);
    report(`kill to the next step: ${median(stepping).toFixed(0)} ms (p10 ${percentile(stepping, 10).toFixed(0)}, p90 ${percentile(stepping, 90).toFixed(0)}), target <= 2000`);
    if (pauses.length > 0) report(`pause of a join: ${median(pauses).toFixed(0)} ms (p10 ${percentile(pauses, 10).toFixed(0)}, p90 ${percentile(pauses, 90).toFixed(0)}), target <= 500 and the transfer`);
    report(`checkpoints every 20 steps: ${cost.toFixed(2)} % of a step, target < 3`);
    return [row('kill noticed', median(noticed), 'ms', 1000), row('kill to next step', median(stepping), 'ms', 2000), ...(pauses.length > 0 ? [row('pause of a join', median(pauses), 'ms', 500)] : []), row('checkpoint every 20 steps', Math.max(0, cost), '%', 3)];
  } finally {
    await cluster.stop();
  }
}
