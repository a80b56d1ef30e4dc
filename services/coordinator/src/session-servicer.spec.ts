/** Sessions as streams of messages in memory, on a clock that is set by hand. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { AgentMessageSchema, Fault, JobState, MemberMessageSchema, type AgentCommand, type AgentMessage, type MemberCommand, type MemberMessage } from '@lockstep/contract';
import { AsyncQueue, createLogger, type CallContext } from '@lockstep/rpc';
import { Metadata } from '@grpc/grpc-js';
import { decodeMachine } from './live-job';
import { SessionServicer } from './session-servicer';
import { CoordinatorWorld, step } from './testing/coordinator-world';

const [A, B] = ['workers/a', 'workers/b'] as const;
const LEASE_MS = 3000;

/** A call as a list of mixed ones shows it. */
interface Call {
  readonly end: { readonly error: unknown } | undefined;
  beat(): Promise<void>;
}

/** One call of a session, from its client's side. */
class Stream<M, C extends { readonly command: { readonly case: string | undefined } }> implements Call {
  readonly told: C[] = [];
  /** undefined while it is open. */
  end: { readonly error: unknown } | undefined;
  private readonly cancel = new AbortController();

  constructor(private readonly heartbeat: M, private readonly messages: AsyncQueue<M>, open: (messages: AsyncIterable<M>, context: CallContext) => AsyncIterable<unknown>) {
    void (async () => {
      try {
        for await (const command of open(messages, { signal: this.cancel.signal, method: '', metadata: new Metadata(), peer: '' })) this.told.push(command as C);
        this.end = { error: undefined };
      } catch (error) {
        this.end = { error };
      }
    })();
  }

  async say(...messages: M[]): Promise<void> {
    for (const message of messages) this.messages.push(message);
    await settled();
  }

  beat(): Promise<void> {
    return this.say(this.heartbeat);
  }

  /** The client ends its side, or the connection breaks. */
  async break(how: 'ENDS' | 'CANCELS'): Promise<void> {
    if (how === 'ENDS') this.messages.close();
    else this.cancel.abort();
    await settled();
  }

  get commands(): readonly string[] {
    return this.told.map(({ command }) => command.case ?? 'nothing');
  }
}

/** Until nothing in this process has anything to do: all of it is in memory. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

class SessionWorld extends CoordinatorWorld {
  readonly servicer = new SessionServicer(this.coordinator, { heartbeatIntervalMs: 500, leaseMs: LEASE_MS, version: '1.2.3' }, () => this.clock.nowMs, createLogger('test', 'silent'));

  async agent(worker: string, { version = '1.2.0', first }: { readonly version?: string; readonly first?: AgentMessage['message'] } = {}): Promise<Stream<AgentMessage, AgentCommand>> {
    const stream = new Stream<AgentMessage, AgentCommand>(create(AgentMessageSchema, { message: { case: 'heartbeat', value: {} } }), new AsyncQueue(100, worker), (m, c) => this.servicer.implementation.attach(m, c));
    await stream.say(create(AgentMessageSchema, { message: first ?? { case: 'register', value: { $typeName: 'lockstep.coordinator.v1.AgentRegister', worker, host: 'h', pid: 7, version } } }));
    return stream;
  }

  async member(job: string, worker: string, { version = '1.2.9', rejoins = false, generation = 0n }: { readonly version?: string; readonly rejoins?: boolean; readonly generation?: bigint } = {}): Promise<Stream<MemberMessage, MemberCommand>> {
    const stream = new Stream<MemberMessage, MemberCommand>(create(MemberMessageSchema, { message: { case: 'heartbeat', value: {} } }), new AsyncQueue(100, worker), (m, c) => this.servicer.implementation.join(m, c));
    const token = (await this.store.get(job))?.token ?? new Uint8Array();
    await stream.say(create(MemberMessageSchema, { generation, message: { case: 'hello', value: { job, worker, token, exchangeAddress: `${worker}:1`, version, rejoins, child: this.agents.get(worker)?.child?.child ?? '', fingerprint: { canonical: 'f' } } } }));
    return stream;
  }

  /** Two workers, and a job that runs on both. */
  async running() {
    const agents = [await this.agent(A), await this.agent(B)] as const;
    const { name } = await this.submit(2);
    const members = [await this.member(name, A), await this.member(name, B)] as const;
    for (const member of members) await member.say(message({ case: 'ready', value: {} }));
    expect(await this.state(name)).toBe('RUNNING');
    this.servicer.checkLeases(); // as it does from the start
    return { name, agents, members };
  }

  /** Time passes, as the coordinator's process sees it; those who are named are heard of just before. */
  async silence(ms: number, ...heard: readonly Call[]): Promise<void> {
    this.clock.nowMs += ms;
    for (const call of heard) await call.beat();
    this.servicer.checkLeases();
    await settled();
  }
}

const message = (content: NonNullable<MessageInitShape<typeof MemberMessageSchema>['message']>, generation = 1n): MemberMessage => create(MemberMessageSchema, { generation, message: content });
const lost = async (w: SessionWorld, name: string): Promise<readonly string[]> => (await w.events(name)).flatMap((e) => (e.case === 'memberLost' ? [`${e.value.worker}: ${e.value.detail}`] : []));

/** Who is away, as it is stored. */
async function absences(w: SessionWorld, name: string): Promise<readonly string[]> {
  const state = decodeMachine((await w.store.get(name))?.machine)?.state;
  return state && 'absences' in state ? state.absences.map(({ worker, why }) => `${worker}: ${why}`) : [];
}

describe('a session', () => {
  test.each<[string, (w: SessionWorld) => Promise<Call>, string]>([
    ['of an agent that does not register', (w) => w.agent(A, { first: { case: 'leaving', value: { $typeName: 'lockstep.coordinator.v1.AgentLeaving' } } }), 'PROTOCOL'],
    ['of an agent of another minor version', (w) => w.agent(A, { version: '1.3.0' }), 'VERSION_MISMATCH'],
    ['of a second agent with the name', async (w) => { await w.agent(A); return w.agent(A); }, 'WORKER_NAME_TAKEN'],
    ['of a member of another minor version', (w) => w.member('jobs/x', A, { version: '2.2.3' }), 'VERSION_MISMATCH'],
    ['of a member of no job', (w) => w.member('jobs/x', A), 'FENCED'],
  ])('%s is refused', async (_what, open, reason) => {
    expect((await open(new SessionWorld())).end?.error).toMatchObject({ reason });
  });

  test('that says nothing at its beginning is closed after a lease, with what was waited for', async () => {
    const servicer = new SessionServicer(new SessionWorld().coordinator, { heartbeatIntervalMs: 5, leaseMs: 30, version: '1.2.3' }, () => 0, createLogger('test', 'silent'));
    const context: CallContext = { signal: new AbortController().signal, method: '', metadata: new Metadata(), peer: '' };
    const endOf = async (answers: AsyncIterable<unknown>): Promise<unknown> => {
      for await (const _answer of answers) return 'answered';
      return 'ended';
    };
    await expect(endOf(servicer.implementation.attach(new AsyncQueue(1, 'silent'), context) as AsyncIterable<unknown>)).rejects.toMatchObject({ reason: 'SILENT', message: expect.stringMatching(/an agent .* did not send register within 30 ms/) as string });
    await expect(endOf(servicer.implementation.join(new AsyncQueue(1, 'silent'), context) as AsyncIterable<unknown>)).rejects.toMatchObject({ reason: 'SILENT', message: expect.stringMatching(/a member .* did not send hello within 30 ms/) as string });
  });

  test('of an agent begins with its heartbeat and its lease, and goes on with its children', async () => {
    const w = new SessionWorld();
    const agent = await w.agent(A);
    expect(agent.told[0]?.command).toMatchObject({ case: 'registered', value: { heartbeatIntervalMs: 500, leaseMs: LEASE_MS } });
    const { name } = await w.submit(1);
    await settled();
    expect(agent.commands).toEqual(['registered', 'startChild']);
    await w.coordinator.cancel(name);
    await settled();
    expect(agent.commands).toEqual(['registered', 'startChild', 'stopChild']);
  });

  test.each([['ENDS'], ['CANCELS']] as const)('that breaks (its client %s) is an absence, not a loss', async (how) => {
    const w = new SessionWorld();
    const { name, members: [, b] } = await w.running();
    await b.break(how);
    expect([b.end !== undefined, await lost(w, name)]).toEqual([true, []]);
    expect((await absences(w, name))).toEqual([`${B}: the session of its child process ended`]);
    const back = await w.member(name, B, { rejoins: true, generation: 1n });
    await w.pass(60_000);
    expect([back.end, await lost(w, name), await w.state(name)]).toEqual([undefined, [], 'RUNNING']);
  });

  test('of a member is closed when what it says makes no sense', async () => {
    const w = new SessionWorld();
    const { members: [a, b] } = await w.running();
    await a.say(message({ case: undefined }));
    await b.say(message({ case: 'hello', value: {} }));
    expect([a.end?.error, b.end?.error]).toMatchObject([{ reason: 'PROTOCOL', message: 'workers/a sent an unknown message in the middle of its session' }, { reason: 'PROTOCOL', message: 'workers/b sent hello in the middle of its session' }]);
  });

  test('of a member is closed with the reason when it is no member any more', async () => {
    const w = new SessionWorld();
    const { name, members: [a, b] } = await w.running();
    await a.say(message({ case: 'ready', value: {} }, 9n));
    expect(a.end?.error).toMatchObject({ reason: 'FENCED' });
    await w.coordinator.childExited(B, name, w.agents.get(B)?.child?.child ?? '', 'it was killed');
    await settled();
    expect([b.commands.at(-1), b.end]).toEqual(['abort', { error: undefined }]);
    expect(await w.state(name)).toBe('RENDEZVOUS');
  });
});

describe('what an agent says', () => {
  test.each([
    ['a signal', { exitCode: -1, signal: 'SIGKILL', stderrTail: '' }, 'its child process was ended by SIGKILL'],
    ['a code, with its last words', { exitCode: 134, signal: '', stderrTail: 'out of memory\n' }, 'its child process was ended with code 134; it last wrote: out of memory'],
  ])('of a child that ended by %s is the loss of the member', async (_what, exit, detail) => {
    const w = new SessionWorld();
    const { name, agents: [, agent] } = await w.running();
    const child = w.agents.get(B)?.child;
    const exited = (name_: string): AgentMessage => create(AgentMessageSchema, { message: { case: 'childExited', value: { job: name, child: name_, ...exit } } });
    await agent.say(exited('of another time'));
    expect(await lost(w, name)).toEqual([]);
    await agent.say(exited(child?.child ?? ''));
    expect(await lost(w, name)).toEqual([`${B}: ${detail}`]);
    expect(w.agents.free()).toEqual([B]);
  });

  test('that it leaves takes it out of its job, and its process is stopped when the others go on', async () => {
    const w = new SessionWorld();
    const { name, agents: [, agent], members: [a] } = await w.running();
    await agent.say(create(AgentMessageSchema, { message: { case: 'leaving', value: {} } }));
    expect([await w.state(name), agent.commands.at(-1), (await w.job(name)).generation?.members.map((m) => m.worker)]).toEqual(['RENDEZVOUS', 'startChild', [A]]);
    await a.say(message({ case: 'ready', value: {} }, 2n));
    expect([await w.state(name), agent.commands.at(-1)]).toEqual(['RUNNING', 'stopChild']);
  });
});

describe('what a member says', () => {
  test.each([[Fault.MODULE, 'FAILED'], [Fault.DATA, 'FAILED'], [Fault.UNSPECIFIED, 'FAILED'], [Fault.WORKER, 'RENDEZVOUS'], [Fault.CLUSTER, 'RENDEZVOUS']] as const)('of a failure that is the fault of %i leaves its job %s', async (fault, state) => {
    const w = new SessionWorld();
    const { name, members: [, b] } = await w.running();
    await b.say(message({ case: 'failed', value: { error: { reason: 'R', message: 'm', fault, worker: '', rank: 1, stack: '' } } }));
    expect(await w.state(name)).toBe(state);
  });

  test('of progress, checkpoints, its end and the model carries its job to its end', async () => {
    const w = new SessionWorld();
    const { name, members } = await w.running();
    const [a] = members;
    await a.say(
      message({ case: 'progress', value: { entries: [step(0), step(1)] } }),
      message({ case: 'checkpoint', value: { version: 'artifacts/c/versions/1', stateDigest: 's', steps: 2n } }),
    );
    for (const member of members) await member.say(message({ case: 'finished', value: { stateDigest: 'd', steps: 2n, hasModel: true } }));
    expect(a.commands).toEqual(['assignment', 'committed', 'commitModel']);
    await a.say(message({ case: 'modelCommitted', value: { result: { model: 'artifacts/o/versions/1', modelDigest: 'm', stateDigest: 'd', steps: 2n, execution: '', notes: [] } } }));
    expect(await w.job(name)).toMatchObject({ state: JobState.SUCCEEDED, committedSteps: 2n, result: { model: 'artifacts/o/versions/1' } });
    expect((await w.events(name)).flatMap((e) => (e.case === 'checkpointCommitted' ? [e.value.version] : []))).toEqual(['artifacts/c/versions/1']);
    expect([a.commands.at(-1), a.end]).toEqual(['abort', { error: undefined }]);
  });
});

describe('a lease', () => {
  test('that runs out ends the session and loses the member, by what was missed', async () => {
    const w = new SessionWorld();
    const { name, agents, members: [a, b] } = await w.running();
    for (let i = 0; i < 3; i++) await w.silence(LEASE_MS / 3, ...agents, a);
    expect(b.end).toBeUndefined();
    await w.silence(1);
    expect([b.end?.error, a.end]).toMatchObject([{ reason: 'FENCED', message: "no heartbeat of workers/b's child for 3001 ms (the lease is 3000 ms)" }, undefined]);
    expect(await lost(w, name)).toEqual([`${B}: no heartbeat of workers/b's child for 3001 ms (the lease is 3000 ms)`]);
  });

  test('of an agent that runs out loses the worker too', async () => {
    const w = new SessionWorld();
    const { name, agents: [first], members } = await w.running();
    for (let i = 0; i < 4; i++) await w.silence(LEASE_MS / 3, first, ...members);
    expect([await lost(w, name), w.agents.get(B)]).toEqual([[`${B}: no heartbeat of workers/b for 4000 ms (the lease is 3000 ms)`], undefined]);
  });

  test('is nobody\'s fault when this process was paused itself: what came meanwhile is read before anybody is lost', async () => {
    const w = new SessionWorld();
    const { name, agents, members } = await w.running();
    await w.silence(60_000);
    await w.silence(250, ...agents, ...members);
    await w.silence(250);
    expect([await lost(w, name), await w.state(name)]).toEqual([[], 'RUNNING']);
  });

  test('is kept by who is heard of while a decision takes its time', async () => {
    const w = new SessionWorld();
    const { name, agents, members } = await w.running();
    let stored: () => void = () => undefined;
    const update = w.store.update.bind(w.store);
    jest.spyOn(w.store, 'update').mockImplementationOnce(async (...change) => {
      await new Promise<void>((resolve) => { stored = resolve; });
      return update(...change);
    });
    const [a] = members;
    await a.say(message({ case: 'progress', value: { entries: [step(0)] } }));
    for (let i = 0; i < 9; i++) await w.silence(LEASE_MS / 3, ...agents, ...members);
    expect(members.map((m) => m.end)).toEqual([undefined, undefined]);
    stored();
    await settled();
    expect((await w.job(name)).committedSteps).toBe(1n);
  });
});

test('the silence of a worker is that of its member: its agent\'s word does not count', async () => {
  const w = new SessionWorld();
  const { agents, members: [a] } = await w.running();
  await w.silence(1000, ...agents, a);
  expect(w.servicer.silence()).toEqual(new Map([[A, 0], [B, 1000]]));
});
