/** The session as the exchange thread keeps it, against a coordinator on a real port. */
import { join } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { MemberCommandSchema, MemberMessageSchema, ProgressEntrySchema, StepsCommittedSchema, type MemberMessage, type ProgressEntry } from '@lockstep/contract';
import { toProgressPoint } from '@lockstep/client';
import { AsyncQueue, RpcError } from '@lockstep/rpc';
import { assignment, memberCommand, SessionCoordinator, type JoinedSession } from '../testing/session-coordinator';
import { LinkCells } from './link-cells';
import type { LinkMessage } from './member-link';
import { runSessionThread } from './session-thread';

const encode = (content: NonNullable<MessageInitShape<typeof MemberMessageSchema>['message']>): Uint8Array => toBinary(MemberMessageSchema, create(MemberMessageSchema, { generation: 1n, message: content }));
const point = (step: number) => toProgressPoint({ kind: 'STEP', call: 0, epoch: 0, step });
const step = (number: number): ProgressEntry => create(ProgressEntrySchema, { point: point(number), entry: { case: 'step', value: create(StepsCommittedSchema, { steps: 1 }) } });

/** A compute thread's end of the port, and what the exchange is told, in one order. */
class Member {
  readonly cells = new LinkCells();
  /** What the exchange was told, and what was posted to the compute thread. */
  readonly log: string[] = [];
  private readonly news = new AsyncQueue<string>(1000, 'news');
  private readonly next = this.news[Symbol.asyncIterator]();
  private readonly port: MessagePort;
  private readonly threadPort: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    [this.port, this.threadPort] = [port1, port2];
    // Recorded where it is posted: what the exchange hears before is before it in the log.
    const post = port2.postMessage.bind(port2);
    port2.postMessage = (message: LinkMessage) => {
      this.note(message.kind === 'COMMAND' ? `posted ${fromBinary(MemberCommandSchema, message.bytes).command.case}` : message.kind === 'ENDED' ? `ended: ${message.message}` : message.kind);
      post(message);
    };
    runSessionThread(port2, { abort: (message) => this.note(`exchange aborted: ${message}`), supersede: (generation) => this.note(`exchange superseded by ${generation}, newest ${this.cells.newestGeneration}`) }, () => this.note('killed'));
  }

  open(coordinator: string, stepTimeoutMs = 600_000): void {
    this.port.postMessage({ kind: 'OPEN', coordinator, stepTimeoutMs, cells: this.cells.memory, bytes: encode({ case: 'hello', value: { job: 'jobs/1', worker: 'workers/a', child: 'c' } }) } satisfies LinkMessage);
  }

  send(content: NonNullable<MessageInitShape<typeof MemberMessageSchema>['message']>): void {
    this.port.postMessage({ kind: 'MEMBER_MESSAGE', bytes: encode(content) } satisfies LinkMessage);
  }

  /** Waits until the log says this. */
  async until(expected: RegExp): Promise<void> {
    while (!this.log.some((line) => expected.test(line))) await this.next.next();
  }

  note(line: string): void {
    this.log.push(line);
    this.news.push(line);
  }

  close(): void {
    this.threadPort.close();
    this.port.close();
  }
}

let coordinator: SessionCoordinator;
let address: string;
let member: Member;
beforeEach(async () => {
  coordinator = new SessionCoordinator();
  address = await coordinator.start();
  member = new Member();
});
afterEach(async () => {
  member.close();
  await coordinator.stop();
});

/** The part of the job is over: so that the next test has no session of this one. */
async function over(session: JoinedSession): Promise<void> {
  session.say(memberCommand(0, { case: 'abort', value: { reason: 'the test is over' } }));
  session.end();
  await member.until(/^ended: /);
}

const kindOf = ({ message }: MemberMessage): string | undefined => message.case;
const stepsOf = ({ message }: MemberMessage): readonly (number | undefined)[] => (message.case === 'progress' ? message.value.entries.map((e) => e.point?.step) : []);

test('says hello, then heartbeats by itself, and what the compute thread says', async () => {
  member.open(address);
  const session = await coordinator.member();
  expect((await session.next()).message).toMatchObject({ case: 'hello', value: { job: 'jobs/1', child: 'c', rejoins: false } });
  expect(kindOf(await session.next())).toBe('heartbeat');
  member.send({ case: 'suspended', value: { why: 'rank 1 is gone' } });
  expect((await session.next('heartbeat')).message).toMatchObject({ case: 'suspended', value: { why: 'rank 1 is gone' } });
  await over(session);
});

test('the exchange knows of a new generation, and so do the cells, before the compute thread is told', async () => {
  member.open(address);
  const session = await coordinator.member();
  session.say(assignment(3));
  await member.until(/^posted assignment/);
  expect(member.log).toEqual(['exchange superseded by 3, newest 3', 'posted assignment']);
  await over(session);
});

test('a generation that is announced is seen in the cells, and the exchange works on in the one before', async () => {
  member.open(address);
  const session = await coordinator.member();
  session.say(assignment(3, 0, 2, true));
  await member.until(/^posted assignment/);
  expect([member.log, member.cells.newestGeneration, member.cells.announced]).toEqual([['posted assignment'], 3, true]);
  session.say(assignment(4));
  await member.until(/^exchange superseded by 4/);
  expect(member.cells.announced).toBe(false);
  await over(session);
});

test('who is released knows of the generation that it is not in, once, and is posted nothing', async () => {
  member.open(address);
  const session = await coordinator.member();
  session.say(assignment(3));
  for (const generation of [4, 4, 3]) session.say(memberCommand(generation, { case: 'release', value: {} }));
  session.say(memberCommand(3, { case: 'commitModel', value: {} }));
  await member.until(/^posted commitModel/);
  expect(member.log).toEqual(['exchange superseded by 3, newest 3', 'posted assignment', 'posted commitModel']);
  expect([member.cells.newestGeneration, member.cells.announced]).toEqual([4, true]);
  await over(session);
});

test('a compute thread that is blocked is woken by its assignment', async () => {
  const { port1, port2 } = new MessageChannel();
  const code = `const { parentPort, workerData: { port, coordinator, file } } = require('node:worker_threads');
    const link = new (require(file).MemberLink)(port);
    link.open(coordinator, 600000, { case: 'hello', value: { $typeName: 'lockstep.coordinator.v1.MemberHello', job: 'jobs/1' } });
    parentPort.postMessage(link.takeAssignment(60000).assignment.rank);`;
  const compute = new Worker(code, { eval: true, workerData: { port: port1, coordinator: address, file: join(__dirname, '..', '..', 'dist', 'child', 'member-link.js') }, transferList: [port1] });
  const rank = new Promise((resolve, reject) => { compute.once('message', resolve).once('error', reject); });
  runSessionThread(port2, { abort: () => undefined, supersede: () => undefined }, () => undefined);
  const session = await coordinator.member();
  await session.next();
  await session.next(); // a heartbeat: by then it is blocked
  session.say(assignment(3, 1));
  expect(await rank).toBe(1);
  session.say(memberCommand(0, { case: 'abort', value: { reason: 'the test is over' } }));
  session.end();
  await compute.terminate();
});

test.each([['to prepare', 0, 0], ['to a generation', 3, 2]])('an assignment %s that is repeated, as after a break, is taken once', async (_what, generation, members) => {
  member.open(address);
  const session = await coordinator.member();
  for (let i = 0; i < 3; i++) session.say(assignment(generation, 1, members));
  session.say(assignment(2, 1)); // older than the one of the second row
  session.say(memberCommand(9, { case: 'commitModel', value: {} }));
  await member.until(/^posted commitModel/);
  expect(member.log.filter((line) => line === 'posted assignment')).toHaveLength(generation === 0 ? 2 : 1);
  await over(session);
});

test('when the session breaks it joins again with its generation, and says again what may not be stored', async () => {
  member.open(address);
  const first = await coordinator.member();
  first.say(assignment(3));
  await member.until(/^posted assignment/);
  member.send({ case: 'ready', value: {} });
  member.send({ case: 'progress', value: { entries: [step(0), step(1), step(2)] } });
  for (const kind of ['ready', 'progress']) expect(kindOf(await first.next('hello', 'heartbeat'))).toBe(kind);
  first.say(memberCommand(3, { case: 'committed', value: { point: point(0) } }));
  first.say(memberCommand(3, { case: 'commitModel', value: {} }));
  await member.until(/^posted commitModel/); // what came before it has been taken
  first.end();

  const second = await coordinator.member();
  const hello = await second.next();
  expect([hello.generation, hello.message]).toMatchObject([3n, { case: 'hello', value: { rejoins: true, child: 'c' } }]);
  const [told, ready] = [await second.next('heartbeat'), await second.next('heartbeat')];
  expect([stepsOf(told), told.generation, kindOf(ready)]).toEqual([[1, 2], 3n, 'ready']);
  expect(member.log.filter((line) => line.startsWith('ended') || line.startsWith('exchange aborted'))).toEqual([]);
  await over(second);
});

test('a coordinator that is gone and comes back is found again; training is not disturbed', async () => {
  member.open(address);
  await coordinator.member();
  await coordinator.stop();
  member.send({ case: 'finished', value: { stateDigest: 'd' } });
  const again = coordinator;
  coordinator = new SessionCoordinator();
  await coordinator.start(address);
  const session = await coordinator.member();
  expect((await session.next()).message).toMatchObject({ case: 'hello', value: { rejoins: true } });
  expect(kindOf(await session.next('heartbeat'))).toBe('finished');
  expect([member.log, again.calls.join]).toEqual([[], 1]);
  await over(session);
});

test('one that is not there yet is waited for', async () => {
  await coordinator.stop();
  member.open(address);
  await new Promise((resolve) => setTimeout(resolve, 300));
  coordinator = new SessionCoordinator();
  await coordinator.start(address);
  const session = await coordinator.member();
  expect(kindOf(await session.next())).toBe('hello');
  await over(session);
});

test.each([
  ['fenced', new RpcError('FAILED_PRECONDITION', 'jobs/1 goes on without workers/a', { reason: 'FENCED' })],
  ['not let in', new RpcError('UNAUTHENTICATED', 'jobs/1 goes on without workers/a')],
])('who is %s does not try again, disturbs nobody, and is dead soon', async (_what, refusal) => {
  member.open(address);
  (await coordinator.member()).end(refusal);
  await member.until(/^killed/);
  expect(member.log).toEqual([
    `ended: the session with the coordinator at ${address} ended: jobs/1 goes on without workers/a`,
    'exchange aborted: the session with the coordinator ended: jobs/1 goes on without workers/a',
    'ended: the session with the coordinator is over', 'killed',
  ]);
  expect(coordinator.calls.join).toBe(1);
});

test('ABORT reaches the compute thread and whoever it waits for, and ends a process that does not end by itself', async () => {
  member.open(address);
  const session = await coordinator.member();
  session.say(memberCommand(1, { case: 'abort', value: { reason: 'cancelled by a client' } }));
  session.end();
  await member.until(/^killed/);
  expect(member.log).toEqual(['posted abort', 'exchange aborted: cancelled by a client', 'ended: the session with the coordinator is over', 'killed']);
  expect(coordinator.calls.join).toBe(1);
});

test('a compute thread that does not come to its next step is given up, by name and with what to do', async () => {
  member.open(address, 100);
  const session = await coordinator.member();
  member.cells.inCall = true;
  const failed = await session.next('hello', 'heartbeat');
  expect(failed.message).toMatchObject({ case: 'failed', value: { error: { reason: 'COMPUTE_STALLED', message: expect.stringMatching(/a step may take 100 ms.*--step-timeout/) as string } } });
  await member.until(/^killed/);
});
