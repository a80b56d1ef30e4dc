/** What does not belong into a cluster, on real processes: each is told what is wrong and what to do, and disturbs nobody. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { AgentMessageSchema, ExchangeService, JobState, MemberMessageSchema, SessionService, type AgentMessage, type TrainJob } from '@lockstep/contract';
import { CoordinatorClient } from '@lockstep/client';
import { createClient, createLogger, implement, openChannel, RpcError, startServer } from '@lockstep/rpc';
import { lockstep } from './cluster';
import { IMPORT_PENGUINS, LIGHT_BACKEND, moduleFile } from './fixtures';
import { startService, type ServiceProcess } from './service-process';

const started: ChildProcess[] = [];
let folder: string;
let coordinator: string;
let client: CoordinatorClient;
let flags: readonly string[];
let undisturbed: TrainJob;

const start = (...args: Parameters<typeof startService>): ServiceProcess => {
  const one = startService(...args);
  started.push(one.process);
  return one;
};
const worker = (name: string, data = name, prefix: readonly string[] = [], at = coordinator): ServiceProcess => start('worker', ['--coordinator', at, '--name', name, '--data', join(folder, data)], prefix);

beforeAll(async () => {
  Object.assign(process.env, LIGHT_BACKEND);
  folder = mkdtempSync(join(tmpdir(), 'lockstep-peers-'));
  const artifact = await start('artifact', ['--listen', '127.0.0.1:0', '--data', join(folder, 'artifact')]).ready;
  coordinator = await start('coordinator', ['--listen', '127.0.0.1:0', '--artifact', artifact, '--data', join(folder, 'coordinator')]).ready;
  await Promise.all(['a', 'b'].map((name) => worker(name).ready));
  client = new CoordinatorClient(coordinator);
  flags = ['--coordinator', coordinator, '--artifact', artifact];
  expect((await lockstep([...IMPORT_PENGUINS, ...flags])).code).toBe(0);
  undisturbed = await train('faults', 'undisturbed', '1', { stepMs: 0 });
  expect(undisturbed.error?.message).toBeUndefined();
}, 180_000);

afterAll(() => {
  client.close();
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

/** Runs a job to its end. @param onStep called with the job after each step that is committed */
async function train(module: string, output: string, workers: string, config: object, more: readonly string[] = [], onStep: (job: TrainJob) => Promise<void> = () => Promise.resolve()): Promise<TrainJob> {
  const { stdout, stderr } = await lockstep(['train', moduleFile(module), '--examples', 'penguins', '--output', output, '--workers', workers, '--config', JSON.stringify(config), '--detach', '--json', ...more, ...flags]);
  if (stdout === '') throw new Error(stderr);
  const { name } = JSON.parse(stdout) as { name: string };
  for await (const { event } of client.watch(name)) if (event.case === 'stepsCommitted') await onStep(await client.get(name));
  return client.get(name);
}

const exit = (process: ChildProcess): Promise<number | null> => new Promise((resolve) => { process.once('exit', resolve); });

/** What a process writes to standard error until it ends. */
async function lastWords({ process }: ServiceProcess): Promise<{ readonly code: number | null; readonly stderr: string }> {
  let stderr = '';
  process.stderr?.on('data', (bytes: Buffer) => { stderr += bytes.toString(); });
  return { code: await exit(process), stderr };
}

test('a second worker with the same name ends, and says what to change', async () => {
  const { code, stderr } = await lastWords(worker('a', 'second'));
  expect([code, stderr]).toEqual([1, expect.stringMatching(/worker: workers\/a is attached already: give this worker another --name/)]);
  expect((await lockstep(['workers', '--json', ...flags])).stdout.trim().split('\n')).toHaveLength(2);
}, 60_000);

test('an agent of another version is refused with both versions', async () => {
  const channel = openChannel(coordinator);
  const register = create(AgentMessageSchema, { message: { case: 'register', value: { worker: 'workers/old', version: '9.9.9' } } });
  const refusal = await outcome(createClient(SessionService, channel).attach(once(register)));
  channel.close();
  expect(refusal).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/workers\/old runs Lockstep 9\.9\.9, the coordinator \d+\.\d+\.\d+: install the same on both/) as string });
}, 30_000);

test('a worker that a coordinator of another version refuses ends with its sentence', async () => {
  const sentence = 'workers/c runs Lockstep 0.1.0, the coordinator 9.9.9: install the same on both';
  // eslint-disable-next-line require-yield
  const attach = async function* (messages: AsyncIterable<AgentMessage>): AsyncGenerator<never> {
    for await (const _message of messages) throw new RpcError('FAILED_PRECONDITION', sentence, { reason: 'VERSION_MISMATCH' });
  };
  const server = await startServer({ listen: '127.0.0.1:0', logger: createLogger('test', 'silent'), services: [implement(SessionService, { attach, join: attach as never })] });
  const { code, stderr } = await lastWords(worker('c', 'c', [], server.address));
  await server.drain(0);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`worker: ${sentence}`)]);
}, 60_000);

test('strangers who knock at the coordinator and at the members of a running job are refused, and the job ends as if nobody had', async () => {
  let refusals: readonly unknown[] = [];
  const job = await train('faults', 'strangers', '2', { stepMs: 60 }, [], async ({ name, committedSteps, generation }) => {
    const [member] = generation?.members ?? [];
    if (committedSteps < 3n || refusals.length > 0 || !member) return;
    const [session, exchange] = [openChannel(coordinator), openChannel(member.exchangeAddress)];
    const hello = { job: name, worker: 'workers/a', exchangeAddress: '127.0.0.1:1', version: '0.1.0', token: new Uint8Array(32) };
    const pull = { job: name, generation: generation?.number ?? 0n, rank: 1, worldSize: 2, targetRank: 0, token: new Uint8Array(32) };
    refusals = [
      await outcome(createClient(SessionService, session).join(once(create(MemberMessageSchema, { message: { case: 'hello', value: hello } })))),
      await outcome(createClient(SessionService, session).join(once(create(MemberMessageSchema, { message: { case: 'hello', value: { ...hello, job: 'jobs/nobody' } } })))),
      await outcome(createClient(ExchangeService, exchange).pull(pull)),
      await garbage(member.exchangeAddress),
    ];
    session.close();
    exchange.close();
  });
  expect(refusals).toMatchObject([
    { code: 'UNAUTHENTICATED', message: expect.stringContaining(`workers/a does not show the token of ${job.name}`) as string },
    { code: 'FAILED_PRECONDITION', message: expect.stringContaining('jobs/nobody is not running here') as string },
    { code: 'UNAUTHENTICATED' },
    'CLOSED',
  ]);
  expect(job.error?.message).toBeUndefined();
  expect([job.state, job.result?.stateDigest, job.generation?.number]).toEqual([JobState.SUCCEEDED, undisturbed.result?.stateDigest, 1n]);
}, 120_000);

test('a worker with other numerics is refused by name; RELAXED admits it, and says that the promise is off', async () => {
  const other = worker('z', 'z', ['env', 'LOCKSTEP_BACKEND=cpu']);
  await other.ready;
  const refused = await train('nan-row', 'strict', '3', { terminates: true });
  expect(refused.error).toMatchObject({ reason: 'FINGERPRINT_DIFFERS', message: expect.stringMatching(/workers\/\w computes other bits than workers\/\w: its numerics are ".*cpu.*|.*cpu.*Give all workers the same backend/) as string });
  const admitted = await train('nan-row', 'relaxed', '3', { terminates: true }, ['--relaxed']);
  expect([admitted.state, admitted.result?.notes]).toEqual([JobState.SUCCEEDED, expect.arrayContaining([expect.stringContaining('RELAXED numerics')])]);
  const ended = exit(other.process);
  other.process.kill('SIGTERM');
  expect(await ended).toBe(0);
}, 180_000);

describe("a NaN among one worker's rows", () => {
  test('is everybody\'s NaN: the job fails where it was, by name', async () => {
    const job = await train('nan-row', 'nan', '2', { terminates: false });
    expect(job.error).toMatchObject({ reason: 'NAN_LOSS', message: expect.stringMatching(/call 0 epoch 0 TRAIN step 2.*loss.*Check the data/) as string });
  }, 90_000);

  test('ends the training of a module that asks for that, at the same step on any number of workers', async () => {
    const jobs = [await train('nan-row', 'nan-one', '1', { terminates: true }), await train('nan-row', 'nan-two', '2', { terminates: true })];
    expect(jobs.map(({ error }) => error?.message)).toEqual([undefined, undefined]);
    expect(jobs.map(({ state, committedSteps }) => [state, committedSteps])).toEqual([[JobState.SUCCEEDED, 3n], [JobState.SUCCEEDED, 3n]]);
    expect(jobs[0]?.result?.modelDigest).toBe(jobs[1]?.result?.modelDigest);
  }, 120_000);
});

async function* once<T>(message: T): AsyncGenerator<T> {
  yield await Promise.resolve(message);
  await new Promise((resolve) => { setTimeout(resolve, 5000).unref(); });
}

/** What ends a stream of answers: its error, or that it goes on. */
async function outcome(answers: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const _answer of answers) return 'ANSWERED';
    return 'ENDED';
  } catch (e) {
    return RpcError.from(e);
  }
}

/** Bytes that are no HTTP/2. */
function garbage(address: string): Promise<'CLOSED'> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), host, () => socket.write(Buffer.alloc(5000, 0x5a)));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve('CLOSED'));
    socket.resume();
  });
}
