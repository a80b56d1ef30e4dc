/** The agent against a coordinator on a real port, with children in memory. */
import { create } from '@bufbuild/protobuf';
import { NumericsFingerprintSchema } from '@lockstep/contract';
import { AsyncQueue, createLogger, RpcError } from '@lockstep/rpc';
import { Agent, workFolder } from './agent';
import type { AgentConfig } from './agent-config';
import type { ChildConfig } from './child-config';
import type { ChildExit } from './child-process';
import { agentCommand, SessionCoordinator, type AgentSession } from './testing/session-coordinator';

/** A child process in memory: it ends when the test says so, or, if it obeys, when it is told to. */
class FakeChild {
  static readonly started = new AsyncQueue<FakeChild>(100, 'children');
  static readonly all: FakeChild[] = [];
  /** What the next ones do when they are told to stop. */
  static obeys = true;
  private static readonly next = FakeChild.started[Symbol.asyncIterator]();
  stops = 0;
  pid = 1;
  exit: (exit: ChildExit) => void = () => undefined;
  cleanedUp: () => void = () => undefined;
  readonly exited = new Promise<ChildExit>((resolve) => { this.exit = resolve; });
  readonly ended: Promise<void>;

  constructor(readonly config: ChildConfig) {
    const folder = new Promise<void>((resolve) => { this.cleanedUp = resolve; });
    this.ended = this.exited.then(() => folder);
    FakeChild.all.push(this);
    FakeChild.started.push(this);
  }

  static start(config: ChildConfig): Promise<FakeChild> {
    return Promise.resolve(new FakeChild(config));
  }

  static async one(): Promise<FakeChild> {
    return (await FakeChild.next.next()).value as FakeChild;
  }

  stop(): void {
    this.stops++;
    if (FakeChild.obeys) this.end({ code: 0, signal: '', stderrTail: '' });
  }

  end(exit: ChildExit): void {
    this.exit(exit);
    this.cleanedUp();
  }
}
jest.mock('./child-process', () => ({ get ChildRunner() { return FakeChild; } }));

const CONFIG: Omit<AgentConfig, 'coordinator'> = { worker: 'workers/a', host: '127.0.0.1', dataFolder: '/data', leaveTimeoutMs: 10_000, logLevel: 'info' };
const REGISTERED = agentCommand({ case: 'registered', value: { heartbeatIntervalMs: 20, leaseMs: 1000 } });
const startChild = (child: string) => agentCommand({ case: 'startChild', value: { job: 'jobs/1', child, token: new Uint8Array([1, 2]), mathThreads: 2, stepTimeoutMs: 1000 } });

let coordinator: SessionCoordinator;
let agent: Agent;
let running: Promise<void>;
let attachments: number;
beforeEach(async () => {
  FakeChild.obeys = true;
  FakeChild.all.length = 0;
  attachments = 0;
  coordinator = new SessionCoordinator();
  agent = new Agent({ ...CONFIG, coordinator: await coordinator.start() }, create(NumericsFingerprintSchema, { canonical: 'f' }), '0.1.0', createLogger('test', 'silent'));
  running = agent.run(() => { attachments++; });
});
afterEach(async () => {
  for (const child of FakeChild.all) child.end({ code: 0, signal: '', stderrTail: '' });
  await agent.stop();
  await running.catch(() => undefined);
  await coordinator.stop();
});

/** A session that is registered, and what the agent registered with. */
async function attached() {
  const session = await coordinator.agent();
  const { message } = await session.next();
  if (message.case !== 'register') throw new Error('an agent registers first');
  session.say(REGISTERED);
  return { session, register: message.value };
}

/** A session with a child that runs. */
async function withChild(name = 'c1'): Promise<{ readonly session: AgentSession; readonly child: FakeChild }> {
  const { session } = await attached();
  session.say(startChild(name));
  return { session, child: await FakeChild.one() };
}

const exitOf = async (session: AgentSession) => (await session.next('heartbeat')).message;

test('registers with what it computes with, and heartbeats as often as it is told', async () => {
  const { session, register } = await attached();
  expect(register).toMatchObject({ worker: 'workers/a', host: '127.0.0.1', pid: process.pid, version: '0.1.0', fingerprint: { canonical: 'f' } });
  expect(register.child).toBeUndefined();
  for (let i = 0; i < 3; i++) expect((await session.next()).message.case).toBe('heartbeat');
  expect(attachments).toBe(1);
});

test('a child gets all that it needs, in a scratch folder of its worker\'s own; its end is told', async () => {
  const { session, child } = await withChild();
  expect(child.config).toMatchObject({ job: 'jobs/1', worker: 'workers/a', child: 'c1', token: 'AQI=', mathThreads: 2, stepTimeoutMs: 1000, cacheFolder: '/data/cache', workFolder: '/data/work/workers-a/jobs-1' });
  expect(child.config.workFolder.startsWith(workFolder({ ...CONFIG, coordinator: '' }))).toBe(true);
  child.end({ code: 134, signal: '', stderrTail: 'out of memory' });
  expect(await exitOf(session)).toMatchObject({ case: 'childExited', value: { job: 'jobs/1', child: 'c1', exitCode: 134, stderrTail: 'out of memory' } });
});

test('the next child starts when nothing of the last one is left', async () => {
  const { session, child } = await withChild();
  child.exit({ code: 0, signal: '', stderrTail: '' });
  await exitOf(session);
  session.say(startChild('c2'));
  for (let i = 0; i < 3; i++) await session.next();
  expect(FakeChild.all).toHaveLength(1);
  child.cleanedUp();
  expect((await FakeChild.one()).config.child).toBe('c2');
});

test('stops the child that is named, and no other', async () => {
  const { session, child } = await withChild();
  session.say(agentCommand({ case: 'stopChild', value: { job: 'jobs/1', child: 'of another time', reason: 'late' } }));
  session.say(agentCommand({ case: 'stopChild', value: { job: 'jobs/1', child: 'c1', reason: 'cancelled by a client' } }));
  expect(await exitOf(session)).toMatchObject({ case: 'childExited', value: { child: 'c1' } });
  expect(child.stops).toBe(1);
});

test.each([['ends', undefined], ['is refused', new RpcError('FAILED_PRECONDITION', 'no heartbeat for 3001 ms', { reason: 'FENCED' })]])('when its session %s, its child works on, and it attaches again with it', async (_what, error) => {
  const { session, child } = await withChild();
  session.end(error);
  const second = await attached();
  expect([second.register.child, child.stops]).toMatchObject([{ job: 'jobs/1', child: 'c1' }, 0]);
  child.end({ code: -1, signal: 'SIGKILL', stderrTail: '' });
  expect(await exitOf(second.session)).toMatchObject({ case: 'childExited', value: { child: 'c1', signal: 'SIGKILL' } });
});

test('an end that nobody could be told of is told in the next session', async () => {
  const { session, child } = await withChild();
  session.end();
  const second = await coordinator.agent();
  expect((await second.next()).message).toMatchObject({ case: 'register', value: { child: { child: 'c1' } } });
  child.end({ code: 3, signal: '', stderrTail: '' });
  await child.ended;
  second.say(REGISTERED);
  expect(await exitOf(second)).toMatchObject({ case: 'childExited', value: { child: 'c1', exitCode: 3 } });
});

test('who is to end says that it leaves, and waits until its job goes on without it', async () => {
  const { session, child } = await withChild();
  const stopped = agent.stop();
  expect(await exitOf(session)).toMatchObject({ case: 'leaving' });
  expect(child.stops).toBe(0);
  session.say(agentCommand({ case: 'stopChild', value: { job: 'jobs/1', child: 'c1', reason: 'rank 1 (workers/a) leaves' } }));
  await stopped;
  await running;
  expect([child.stops, coordinator.calls.attach]).toEqual([1, 1]);
});

test('who is to end and has no coordinator ends at once, and its child with it', async () => {
  const { session, child } = await withChild();
  session.end();
  await coordinator.agent(); // which does not answer
  await agent.stop();
  await running;
  expect(child.stops).toBe(1);
});

test('another version is a refusal that no other try would change', async () => {
  (await coordinator.agent()).end(new RpcError('FAILED_PRECONDITION', 'install the same on both', { reason: 'VERSION_MISMATCH' }));
  await expect(running).rejects.toThrow('install the same on both');
  expect(coordinator.calls.attach).toBe(1);
});

test('its own last session may still have its name: it tries again, and not for ever', async () => {
  const taken = new RpcError('ALREADY_EXISTS', 'workers/a is attached already', { reason: 'WORKER_NAME_TAKEN' });
  (await coordinator.agent()).end(taken);
  const { session } = await attached();
  expect(attachments).toBeLessThanOrEqual(1);
  session.end();
  void (async () => { for (;;) (await coordinator.agent()).end(taken); })();
  await expect(running).rejects.toThrow('workers/a is attached already');
  expect(coordinator.calls.attach).toBe(2 + 11);
}, 60_000);
