/** A process that has no file descriptors left: it says so, what is open goes on, and nothing is lost when there are some again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState, type JobEvent } from '@lockstep/contract';
import { LocalCluster } from './cluster';
import { FaultRunner, type FaultOutcome } from './fault-run';
import { IMPORT_PENGUINS, LIGHT_BACKEND, moduleFile } from './fixtures';

let cluster: LocalCluster;
let client: CoordinatorClient;
let undisturbed: FaultOutcome;
beforeAll(async () => {
  cluster = await LocalCluster.start(1, LIGHT_BACKEND);
  client = new CoordinatorClient(cluster.facts.coordinator);
  await cluster.json(...IMPORT_PENGUINS);
  undisturbed = await new FaultRunner(cluster, client).run('undisturbed', { workers: '1', stepMs: 0 });
  expect(undisturbed.job.error?.message).toBeUndefined();
}, 180_000);
afterAll(async () => {
  client.close();
  await cluster.stop();
}, 60_000);

const log = (name: string): string => readFileSync(join(cluster.facts.data, 'logs', `${name}.log`), 'utf8');

/** Leaves a service so many file descriptors more than it has, for as long as something is done. */
async function exhausted<T>(name: string, spare: number, whatFor: () => Promise<T>): Promise<T> {
  const pid = String(cluster.facts.pids[name] ?? -1);
  const limit = (soft: string): void => void execFileSync('prlimit', ['--pid', pid, `--nofile=${soft}:`]);
  const before = execFileSync('prlimit', ['--pid', pid, '--nofile', '--noheadings', '--output=SOFT'], { encoding: 'utf8' }).trim();
  // The limit is on numbers, and a new descriptor takes the lowest that is free.
  const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let lowest = 0;
  for (let left = spare; left > 0 || taken.has(lowest); lowest++) if (!taken.has(lowest)) left--;
  limit(String(lowest));
  try {
    return await whatFor();
  } finally {
    limit(before);
  }
}

async function submit(output: string, config: object, ...flags: readonly string[]): Promise<string> {
  const [job] = await cluster.json<{ name: string }>('train', moduleFile('faults'), '--examples', 'penguins', '--output', output, '--config', JSON.stringify(config), '--detach', ...flags);
  return job?.name ?? '';
}

async function follow(name: string, onStep: (steps: number) => Promise<void> = () => Promise.resolve()): Promise<readonly JobEvent['event'][]> {
  const events: JobEvent['event'][] = [];
  let steps = 0;
  for await (const { event } of client.watch(name)) {
    events.push(event);
    if (event.case === 'stepsCommitted') await onStep(steps += event.value.steps);
  }
  const job = await client.get(name);
  expect(job.error?.message).toBeUndefined();
  expect([job.state, job.result?.stateDigest, job.result?.modelDigest]).toEqual([JobState.SUCCEEDED, undisturbed.job.result?.stateDigest, undisturbed.job.result?.modelDigest]);
  return events;
}

test('the coordinator: a new client is turned away, its log says why, the job goes on', async () => {
  const name = await submit('coordinator-full', { stepMs: 100 });
  let refused: { readonly code: number | null; readonly stderr: string } | undefined;
  const events = await follow(name, async (steps) => {
    if (steps < 3 || refused) return;
    refused = await exhausted('coordinator', 0, async () => {
      const answer = await cluster.run('jobs', 'list');
      await said('coordinator', 'no file descriptors left');
      return answer;
    });
  });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(cluster.facts.coordinator) as string });
  expect(refused?.stderr).toMatch(/lockstep up/);
  expect(log('coordinator')).toMatch(/no file descriptors left.*ulimit -n/);
  expect(events.some((event) => event.case === 'memberLost')).toBe(false);
  expect((await cluster.run('jobs', 'list')).code).toBe(0);
  await said('coordinator', 'there are file descriptors again');
}, 120_000);

test('the artifact service: what needs a file is refused with what to do, and done when there are some again', async () => {
  const folder = join(cluster.folder, 'put');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a'), Buffer.alloc(100_000, 7));
  const put = () => cluster.run('artifacts', 'put', folder, '--name', 'late', '--type', 'Blob');
  // One for the connection; none for the file.
  const refused = await exhausted('artifact', 1, put);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/no file descriptors left.*ulimit -n/) as string });
  expect(await put()).toMatchObject({ code: 0, stdout: expect.stringContaining('artifacts/late/versions/1') as string });
}, 60_000);

test('the artifact service while a job runs: a checkpoint that fails costs that checkpoint and no step', async () => {
  const name = await submit('artifact-full', { stepMs: 150 }, '--checkpoint-steps', '2');
  let failed = false;
  const events = await follow(name, async (steps) => {
    if (steps < 4 || failed) return;
    failed = true;
    await exhausted('artifact', 0, () => said('worker-1', 'a checkpoint was not written'));
  });
  expect(failed).toBe(true);
  expect(log('worker-1')).toMatch(/a checkpoint was not written, the next one will be tried: .*no file descriptors left/);
  expect(events.filter((event) => event.case === 'checkpointCommitted').length).toBeGreaterThan(1);
}, 120_000);

test('a worker: its job waits for its process, and no restart is spent', async () => {
  const { name, events } = await exhausted('worker-1', 0, async () => {
    const job = await submit('worker-full', { stepMs: 0 }, '--max-restarts', '0');
    await said('worker-1', 'its process could not be started');
    return { name: job, events: follow(job) };
  });
  await events;
  expect((await client.get(name)).generation?.number).toBe(1n);
  expect(log('worker-1')).toMatch(/its process could not be started: .*EMFILE.*no file descriptors left.*ulimit -n.*it is tried again/);
}, 120_000);

/** Waits until a log says something; the test's own deadline ends the wait. */
async function said(name: string, text: string): Promise<void> {
  while (!log(name).includes(text)) await new Promise((resolve) => { setTimeout(resolve, 100); });
}
