/** A worker dies or stalls: its job goes on without it, says whom it lost, and takes it in again; only the last one's end can be the job's. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState, type JobEvent, type TrainJob } from '@lockstep/contract';
import { LocalCluster } from './cluster';
import { childrenOf } from './fault-run';
import { IMPORT_PENGUINS, LIGHT_BACKEND, moduleFile } from './fixtures';

let cluster: LocalCluster;
let client: CoordinatorClient;
beforeAll(async () => {
  cluster = await LocalCluster.start(2, LIGHT_BACKEND);
  client = new CoordinatorClient(cluster.facts.coordinator);
  await cluster.json(...IMPORT_PENGUINS);
}, 120_000);
/** So that what one test leaves behind holds no worker of the next. */
afterEach(() => LongJob.cancelAll());
afterAll(async () => {
  client.close();
  await cluster.stop();
}, 60_000);

type EventKind = NonNullable<JobEvent['event']['case']>;
type EventValue<Kind extends EventKind> = Extract<JobEvent['event'], { readonly case: Kind }>['value'];

/** A job that would run for minutes, followed event by event. */
class LongJob {
  private static readonly all: LongJob[] = [];

  private constructor(readonly name: string, private readonly events: AsyncIterator<JobEvent>) {}

  /** Submits it on both workers, or on one, and waits for its first committed step. */
  static async start(output: string, ...flags: readonly string[]): Promise<LongJob> {
    const [submitted] = await cluster.json<{ name: string }>('train', moduleFile('elastic'), '--examples', 'penguins', '--output', output,
      '--hyperparameters', JSON.stringify({ stepMs: 60, epochs: 1000 }), '--detach', ...flags);
    const name = submitted?.name ?? '';
    const job = new LongJob(name, client.watch(name)[Symbol.asyncIterator]());
    LongJob.all.push(job);
    await job.until('stepsCommitted');
    return job;
  }

  /** The next event of a kind, after those seen so far. */
  async until<Kind extends EventKind>(kind: Kind): Promise<EventValue<Kind>> {
    for (;;) {
      const { done, value } = await this.events.next() as IteratorResult<JobEvent, undefined>;
      if (done) throw new Error(`${this.name} ended before ${kind}: ${(await this.job()).error?.message ?? 'without an error'}`);
      const { event } = value;
      if (event.case === kind) return event.value as EventValue<Kind>;
    }
  }

  /** The job when it has ended. */
  async ended(): Promise<TrainJob> {
    while (!(await this.events.next()).done) { /* what still comes */ }
    return this.job();
  }

  /** Ends it by a client. */
  async cancel(): Promise<void> {
    await client.cancel(this.name);
    expect((await this.ended()).state).toBe(JobState.CANCELLED);
  }

  static async cancelAll(): Promise<void> {
    for (const { name } of LongJob.all.splice(0)) await client.cancel(name);
  }

  private job(): Promise<TrainJob> {
    return client.get(this.name);
  }
}

const agentOf = (worker: number): number => cluster.pidOf(`worker-${worker}`) ?? -1;

/** The process that runs a worker's job. */
function childOf(worker: number): number {
  const [child] = childrenOf(agentOf(worker));
  if (child === undefined) throw new Error(`worker ${worker} runs nothing`);
  return child;
}

const models = async (): Promise<readonly string[]> => (await cluster.json<{ name: string; type: string }>('artifacts', 'list')).filter((a) => a.type === 'Model').map((a) => a.name);

test('a job that may not start again fails with its last worker, by name, and the worker takes the next job', async () => {
  const job = await LongJob.start('alone', '--workers', '1', '--max-restarts', '0');
  process.kill(childOf(1), 'SIGKILL');
  const ended = await job.ended();
  expect(ended.state).toBe(JobState.FAILED);
  expect(ended.error).toMatchObject({ reason: 'WORKER_LOST', worker: 'workers/w1', rank: 0 });
  expect(ended.error?.message).toMatch(/SIGKILL.*0 of 0 times/);
  const again = await LongJob.start('after-the-kill', '--workers', '2');
  await again.cancel();
  expect(await models()).toEqual([]);
}, 120_000);

const STRIKES: readonly (readonly [string, number, () => void, RegExp])[] = [
  ['kill -9 of a child', 2, () => void process.kill(childOf(2), 'SIGKILL'), /its child process was ended by SIGKILL/],
  ['kill -9 of an agent', 1, () => void process.kill(agentOf(1), 'SIGKILL'), /its agent|its child process/],
  ['SIGSTOP of a child', 2, () => void process.kill(childOf(2), 'SIGSTOP'), /no heartbeat of workers\/w2's child|cannot exchange/],
];

test.each(STRIKES)('%s: the job goes on without it, names it, and takes the worker in again; nothing goes on as a ghost', async (_what, worker, strike, detail) => {
  const job = await LongJob.start(`struck-${worker}`, '--workers', '2');
  const child = childOf(worker);
  strike();
  const lost = await job.until('memberLost');
  expect(lost).toMatchObject({ worker: `workers/w${worker}`, rank: worker - 1, left: false, detail: expect.stringMatching(detail) as string });
  const { generation } = await job.until('generationFormed');
  expect(generation?.members.map((m) => [m.worker, m.replicas?.from, m.replicas?.to])).toEqual([[`workers/w${3 - worker}`, 0, 4]]);
  await job.until('stepsCommitted');
  await expect(gone(child)).resolves.toBe(true);
  expect(await job.until('memberJoined')).toMatchObject({ worker: `workers/w${worker}`, rank: 1 });
  await job.until('stepsCommitted');
  await job.cancel();
  expect(await models()).toEqual([]);
}, 120_000);

test('a module that spins ends with its job, and what it printed is in the log', async () => {
  const own = await LocalCluster.start(1, LIGHT_BACKEND);
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
  const own = await LocalCluster.start(1, LIGHT_BACKEND);
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
