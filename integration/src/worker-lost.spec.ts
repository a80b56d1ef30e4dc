/** A worker dies: its job fails within seconds, by the worker's name, and nothing is committed. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState } from '@lockstep/contract';
import { LocalCluster } from './cluster';
import { IMPORT_PENGUINS, moduleFile } from './fixtures';

let cluster: LocalCluster;
let client: CoordinatorClient;
beforeAll(async () => {
  cluster = await LocalCluster.start(2);
  client = new CoordinatorClient(cluster.facts.coordinator);
  await cluster.json(...IMPORT_PENGUINS);
}, 120_000);
afterAll(async () => {
  client.close();
  await cluster.stop();
}, 60_000);

/** The processes that a process has started. */
const childrenOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split('\n').map(Number).filter((p) => p > 0);

/** Submits the slow module on both workers and waits for its first committed step. */
async function runSlow(name: string): Promise<string> {
  const [submitted] = await cluster.json<{ name: string }>('train', moduleFile('slow'), '--examples', 'penguins', '--output', name, '--workers', '2', '--detach');
  const job = submitted?.name ?? '';
  for await (const { event } of client.watch(job)) if (event.case === 'stepsCommitted') return job;
  throw new Error(`${job} ended before its first step: ${(await client.get(job)).error?.message ?? ''}`);
}

async function end(job: string): Promise<Awaited<ReturnType<CoordinatorClient['get']>>> {
  for await (const _event of client.watch(job)) { /* until it has ended */ }
  return client.get(job);
}

test('kill -9 of a child fails the job by name, and its worker takes the next job', async () => {
  const job = await runSlow('killed-child');
  const [child] = childrenOf(cluster.facts.pids['worker-2'] ?? -1);
  process.kill(child ?? -1, 'SIGKILL');
  const ended = await end(job);
  expect(ended.state).toBe(JobState.FAILED);
  expect(ended.error).toMatchObject({ reason: 'WORKER_LOST', worker: 'workers/w2', rank: 1 });
  expect(ended.error?.message).toContain('SIGKILL');
  const again = await runSlow('after-the-kill');
  await client.cancel(again);
  expect((await end(again)).state).toBe(JobState.CANCELLED);
}, 120_000);

test('kill -9 of an agent fails the job by name, and its child does not go on as a ghost', async () => {
  const job = await runSlow('killed-agent');
  const agent = cluster.facts.pids['worker-1'] ?? -1;
  const [child] = childrenOf(agent);
  process.kill(agent, 'SIGKILL');
  const ended = await end(job);
  expect(ended.error).toMatchObject({ reason: 'WORKER_LOST', worker: 'workers/w1', rank: 0 });
  await expect(gone(child ?? -1)).resolves.toBe(true);
  const listed = await cluster.json<{ name: string; type: string }>('artifacts', 'list');
  expect(listed.filter((a) => a.type === 'Model')).toEqual([]);
}, 120_000);

test('a module that spins ends with its job, and what it printed is in the log', async () => {
  const own = await LocalCluster.start(1);
  try {
    await own.json(...IMPORT_PENGUINS);
    const [submitted] = await own.json<{ name: string }>('train', moduleFile('spins'), '--examples', 'penguins', '--output', 'spins', '--detach');
    const agent = own.facts.pids['worker-1'] ?? -1;
    await printed(join(own.facts.data, 'logs', 'worker-1.log'), 'spins from here on');
    const [child] = childrenOf(agent);
    expect((await own.run('jobs', 'cancel', submitted?.name ?? '')).code).toBe(0);
    await expect(gone(child ?? -1)).resolves.toBe(true);
  } finally {
    await own.stop();
  }
}, 120_000);

test('however `up` ends, its services end too', async () => {
  const own = await LocalCluster.start(1);
  const pids = Object.values(own.facts.pids);
  own.kill('SIGKILL');
  for (const pid of pids) await expect(gone(pid)).resolves.toBe(true);
  await own.stop();
}, 60_000);

/** Waits until a log says something. */
function printed(log: string, text: string): Promise<void> {
  const tail = spawn('tail', ['-n', '+1', '-F', log], { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    let seen = '';
    tail.stdout.on('data', (bytes: Buffer) => {
      seen += bytes.toString();
      if (!seen.includes(text)) return;
      tail.kill();
      resolve();
    });
  });
}

/** Waits until a process has ended. */
function gone(pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    const tail = spawn('tail', [`--pid=${pid}`, '-f', '/dev/null'], { stdio: 'ignore' });
    tail.once('exit', () => resolve(true));
  });
}
