// What a disturbance costs: the time from a worker's death until the others step again, the pause that a joiner makes, what checkpoints cost, whether
// memory grows in a long job, and how soon a coordinator with a thousand sessions acknowledges what it has stored.
// There is no rival in it: those that a user can install restart the job. The targets are design/training.md's.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { clearInterval, setInterval } from 'node:timers';
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
async function trace(cluster, { name, workers, steps, epochs = 1, flags = [] }, act = () => undefined) {
  const log = path.join(cluster.folder, `${name}.log`);
  fs.writeFileSync(log, '');
  const job = cluster.run(['train', path.join(root, 'integration', 'modules', 'traced.ts'), '--examples', 'penguins', '--output', name, '--workers', workers,
    '--config', JSON.stringify({ log, steps, epochs }), '--json', ...flags]);
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
    // A step whose sums were complete before the kill ends as if nothing had happened: the one that waited is the longest of those that began then.
    // (The worker comes back seconds later, and its join makes another pause.)
    const own = steps.filter(({ worker }) => worker === 'w1').map(({ ms }) => ms);
    const [next] = own.slice(1).map((ms, i) => ({ ms, gap: ms - own[i] })).filter(({ ms, gap }) => ms > killedMs && ms - gap < killedMs + 500).sort((x, y) => y.gap - x.gap);
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

const EPOCH_STEPS = 100;
/** Checkpoints are written beside the steps that follow: the first half of a period pays for one, the second does not. */
const PERIOD_STEPS = 50;
/** How often the default policy takes a checkpoint. */
const DEFAULT_POLICY_MS = 60_000;

/** Slope of a straight line through points `[x, y]` (least squares). */
function slopeOf(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  return points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}

/** Between two collections memory rises and falls: growth is that it does not fall as deep in the second half as in the first. */
function growthOf(samples) {
  const half = Math.floor(samples.length / 2);
  const lowest = (some) => some.reduce((least, one) => Math.min(least, one), Infinity);
  return lowest(samples.slice(half)) - lowest(samples.slice(0, half));
}

/**
 * A long job of one worker that takes a checkpoint every PERIOD_STEPS.
 *
 * @returns what each checkpoint cost (by how much the first half of its period was slower than the second: what drifts, drifts in both), and memory in MB
 *   without the first fifth, in which the worker fills its pools
 */
async function longJob(cluster, steps) {
  const lines = await trace(cluster, { name: 'long', workers: '1', steps: EPOCH_STEPS, epochs: Math.ceil(steps / EPOCH_STEPS), flags: ['--replicas', '1', '--checkpoint-steps', String(PERIOD_STEPS)] });
  const took = lines.slice(1).map(({ ms }, i) => ms - lines[i].ms);
  const sum = (from, to) => took.slice(from, to).reduce((total, ms) => total + ms, 0);
  const costsMs = [];
  // took[i] is the time of step i + 1: the steps after a checkpoint begin at a multiple of the period.
  for (let at = 2 * PERIOD_STEPS - 1; at + PERIOD_STEPS <= took.length; at += PERIOD_STEPS) {
    costsMs.push(sum(at, at + PERIOD_STEPS / 2) - sum(at + PERIOD_STEPS / 2, at + PERIOD_STEPS));
  }
  const late = lines.slice(Math.floor(lines.length / 5));
  return {
    steps: lines.length, stepMs: median(took), costsMs,
    growthMb: growthOf(late.map(({ rssMb }) => rssMb)), slopeMb: slopeOf(late.map(({ step, rssMb }) => [step, rssMb])) * 10_000, rssMb: late.at(-1).rssMb,
  };
}

const tasksetOf = () => {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return os.availableParallelism() > 1;
  } catch {
    return false;
  }
};

const rssMb = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** A coordinator on a core of its own, with sessions of agents and members that all come from one process on the others. */
async function coordinatorLoad({ jobs, workersPerJob, seconds, reportMs }, report) {
  const cluster = new Cluster();
  await cluster.start(0);
  try {
    for (const args of [importPenguins, ['train', path.join(root, 'integration', 'modules', 'traced.ts'), '--examples', 'penguins', '--dry-run']]) {
      await new Promise((resolve) => cluster.run([...args, '--json']).on('close', resolve).stdout.resume());
    }
    const pinned = tasksetOf();
    const { coordinator: pid } = cluster.facts.pids;
    if (pinned) execFileSync('taskset', ['-acp', '0', String(pid)], { stdio: 'ignore' });
    const { version } = JSON.parse(fs.readFileSync(path.join(root, 'services', 'coordinator', 'package.json'), 'utf8'));
    const settings = { coordinator: cluster.facts.coordinator, module: 'artifacts/traced-module/versions/1', examples: 'artifacts/penguins/versions/1', jobs, workersPerJob, seconds, reportMs, version };
    const [command, ...args] = [...(pinned ? ['taskset', '-c', `1-${os.availableParallelism() - 1}`] : []), process.execPath, path.join(root, 'integration', 'bench', 'lib', 'coordinator-load.mjs'), JSON.stringify(settings)];
    const load = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const memory = [];
    let sampling;
    let measured;
    createInterface({ input: load.stdout }).on('line', (line) => {
      const said = JSON.parse(line);
      if (said.running !== undefined) sampling = setInterval(() => memory.push(rssMb(pid)), 1000);
      else measured = said;
    });
    const code = await new Promise((resolve) => load.once('close', resolve));
    clearInterval(sampling);
    if (code !== 0 || measured === undefined) throw new Error(`the load on the coordinator ended with ${code}`);
    report(`coordinator with ${measured.sessions} sessions (${jobs} jobs of ${workersPerJob} workers)${pinned ? ', pinned to one core' : ', not pinned: there is no taskset'}: ${measured.reportsPerSecond.toFixed(1)} commits/s, acknowledged after ${measured.p50Ms.toFixed(1)} ms (p99 ${measured.p99Ms.toFixed(1)}, worst ${measured.maxMs.toFixed(1)}), RSS ${Math.min(...memory).toFixed(0)} to ${Math.max(...memory).toFixed(0)} MB`);
    return { p99Ms: measured.p99Ms, growthMb: growthOf(memory), sessions: measured.sessions };
  } finally {
    await cluster.stop();
  }
}

const signed = (mb) => `${mb >= 0 ? '+' : ''}${mb.toFixed(1)}`;
const importPenguins = ['examples', 'import', path.join(root, 'node_modules', 'vega-datasets', 'data', 'penguins.json'), '--name', 'penguins', '--require', 'Beak Length (mm)'];

/** Two workers and the data, for as long as `act` needs them. */
async function withCluster(act) {
  const cluster = new Cluster();
  await cluster.start(2);
  try {
    await new Promise((resolve) => cluster.run([...importPenguins, '--json']).on('close', resolve).stdout.resume());
    return await act(cluster);
  } finally {
    await cluster.stop();
  }
}

const spreadOf = (samples) => `${median(samples).toFixed(0)} ms (p10 ${percentile(samples, 10).toFixed(0)}, p90 ${percentile(samples, 90).toFixed(0)})`;

async function disturb({ quick, report }) {
  const rounds = quick ? 2 : 6;
  return withCluster(async (cluster) => {
    const { stepping, noticed } = await kills(cluster, rounds, report);
    const pauses = await joins(cluster, rounds, report);
    report(`kill to the event that tells of it: ${spreadOf(noticed)}, target <= 1000`);
    report(`kill to the next step: ${spreadOf(stepping)}, target <= 2000`);
    const rows = [row('kill noticed', median(noticed), 'ms', 1000), row('kill to next step', median(stepping), 'ms', 2000)];
    if (pauses.length === 0) return rows;
    report(`pause of a join: ${spreadOf(pauses)}, target <= 500 and the transfer`);
    return [...rows, row('pause of a join', median(pauses), 'ms', 500)];
  });
}

async function goOnLong({ quick, report }) {
  const long = await withCluster((cluster) => longJob(cluster, quick ? 2_000 : 10_000));
  const costMs = median(long.costsMs);
  const [here, byDefault] = [costMs / PERIOD_STEPS / long.stepMs * 100, costMs / DEFAULT_POLICY_MS * 100];
  report(`a checkpoint every ${PERIOD_STEPS} steps of ${long.stepMs.toFixed(1)} ms, ${long.costsMs.length} of them: each costs ${costMs.toFixed(1)} ms (p10 ${percentile(long.costsMs, 10).toFixed(1)}, p90 ${percentile(long.costsMs, 90).toFixed(1)}) of the steps beside it: ${here.toFixed(2)} % of a step here, ${byDefault.toFixed(3)} % under the default policy, target < 3`);
  report(`memory of that worker over ${long.steps} steps: ${signed(long.growthMb)} MB from the lowest of one half to that of the other, slope ${signed(long.slopeMb)} MB in 10,000 steps (RSS ${long.rssMb} MB), target <= 16`);
  return [
    row(`checkpoints, every ${PERIOD_STEPS} steps`, Math.max(0, here), '%', 3), row('checkpoints, default policy', Math.max(0, byDefault), '%', 3),
    row(`worker memory, ${long.steps} steps`, Math.max(0, long.growthMb), 'MB', 16),
  ];
}

async function loadCoordinator({ quick, report }) {
  const size = quick ? { jobs: 20, workersPerJob: 5, seconds: 15, reportMs: 1000 } : { jobs: 100, workersPerJob: 5, seconds: 120, reportMs: 1000 };
  const { p99Ms, growthMb, sessions } = await coordinatorLoad(size, report);
  report(`commits acknowledged with ${sessions} sessions: p99 ${p99Ms.toFixed(1)} ms, target < 50; memory of the coordinator meanwhile ${signed(growthMb)} MB, target <= 16`);
  return [row(`commit acknowledged, ${sessions} sessions, p99`, p99Ms, 'ms', 50), row('coordinator memory under load', Math.max(0, growthMb), 'MB', 16)];
}

/** Each returns rows {name, ours, rival, unit, ratio, target, pass}. */
export const parts = { disturbances: disturb, 'long-job': goOnLong, coordinator: loadCoordinator };
