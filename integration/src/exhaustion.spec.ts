/** A process that has no file descriptors left: it says so, what is open goes on, and nothing is lost when there are some again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState, type JobEvent } from '@lockstep/contract';
import { LocalCluster } from './cluster';
import { FaultRunner, type FaultOutcome } from './fault-run';
import { IMPORT_PENGUINS, moduleFile } from './fixtures';

/** What a process needs of an instant: less than a connection does. */
const SPARE = 1;

let cluster: LocalCluster;
let client: CoordinatorClient;
let undisturbed: FaultOutcome;
beforeAll(async () => {
  cluster = await LocalCluster.start(1);
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

/** Leaves a service no more descriptors than it has, for as long as something is done. */
async function exhausted<T>(name: string, whatFor: () => Promise<T>): Promise<T> {
  const pid = String(cluster.facts.pids[name] ?? -1);
  const limit = (soft: string): void => void execFileSync('prlimit', ['--pid', pid, `--nofile=${soft}:`]);
  const before = execFileSync('prlimit', ['--pid', pid, '--nofile', '--noheadings', '--output=SOFT'], { encoding: 'utf8' }).trim();
  limit(String(readdirSync(`/proc/${pid}/fd`).length + SPARE - 1));
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
    refused = await exhausted('coordinator', async () => {
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

test('the artifact service: what needs a file is refused with what to do, and done when there are some again; a checkpoint that fails costs no step', async () => {
  const folder = join(cluster.folder, 'put');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a'), Buffer.alloc(100_000, 7));
  const name = await submit('artifact-full', { stepMs: 150 }, '--checkpoint-steps', '2');
  let refused: { readonly code: number | null; readonly stderr: string } | undefined;
  const events = await follow(name, async (steps) => {
    if (steps < 4 || refused) return;
    // One for the connection; none for the file.
    const pid = cluster.facts.pids['artifact'] ?? -1;
    const held = readdirSync(`/proc/${pid}/fd`).length;
    refused = await exhausted('artifact', async () => {
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${held + 1}:`]);
      const answer = await cluster.run('artifacts', 'put', folder, '--name', 'late', '--type', 'Blob');
      await said('worker-1', 'a checkpoint was not written');
      return answer;
    });
  });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/no file descriptors left.*ulimit -n/) as string });
  expect(events.filter((event) => event.case === 'checkpointCommitted').length).toBeGreaterThan(1);
  expect((await cluster.run('artifacts', 'put', folder, '--name', 'late', '--type', 'Blob')).code).toBe(0);
}, 120_000);

test('a worker: its job waits for its process, and no restart is spent', async () => {
  const { name, events } = await exhausted('worker-1', async () => {
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
