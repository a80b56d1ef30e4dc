/** The compute thread waits for the session's thread: both are real threads. */
import { join } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { toBinary } from '@bufbuild/protobuf';
import { MemberCommandSchema } from '@lockstep/contract';
import { assignment, memberCommand } from '../testing/session-coordinator';
import { LinkCells } from './link-cells';
import { MemberLink, type LinkMessage } from './member-link';

const CELLS = join(__dirname, '..', '..', 'dist', 'child', 'link-cells.js');
const command = (value: Parameters<typeof toBinary<typeof MemberCommandSchema>>[1]): LinkMessage => ({ kind: 'COMMAND', bytes: toBinary(MemberCommandSchema, value) });

/** A thread that posts messages one after the other, each a moment after the last one, and says so through the cells. */
function poster(port: MessagePort, memory: SharedArrayBuffer, messages: readonly LinkMessage[], everyMs: number): Worker {
  const code = `const { workerData: { port, memory, messages, everyMs, file } } = require('node:worker_threads');
    const cells = new (require(file).LinkCells)(memory);
    (async () => { for (const message of messages) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      port.postMessage(message);
      cells.arrived();
    } })();`;
  return new Worker(code, { eval: true, workerData: { port, memory, messages, everyMs, file: CELLS }, transferList: [port] });
}

describe('cells', () => {
  test('wake who waits for what another thread posts', async () => {
    const { port1, port2 } = new MessageChannel();
    const cells = new LinkCells();
    const worker = poster(port2, cells.memory, [{ kind: 'ENDED', message: 'first' }, { kind: 'ENDED', message: 'second' }], 50);
    const seen: unknown[] = [];
    const found = cells.waitFor(() => {
      for (let next = receiveMessageOnPort(port1); next; next = receiveMessageOnPort(port1)) seen.push((next.message as { message: string }).message);
      return seen.length === 2 ? seen : undefined;
    }, performance.now() + 60_000);
    expect(found).toEqual(['first', 'second']);
    await worker.terminate();
    port1.close();
  });

  test('give up at the deadline', () => {
    expect(new LinkCells().waitFor(() => undefined, performance.now() + 20)).toBeUndefined();
  });

  test('show the other thread the newest generation, and whether steps go on', () => {
    const cells = new LinkCells();
    const other = new LinkCells(cells.memory);
    cells.newestGeneration = 7;
    const before = other.steps;
    cells.inCall = true;
    cells.step();
    expect([other.newestGeneration, other.inCall, other.steps - before]).toEqual([7, true, 2]);
  });
});

describe('a member\'s link', () => {
  const blocked = (messages: readonly LinkMessage[]) => {
    const { port1, port2 } = new MessageChannel();
    const link = new MemberLink(port1);
    const worker = poster(port2, link.cells.memory, messages, 20);
    const taken = link.takeAssignment(60_000);
    const end = async (): Promise<void> => {
      await worker.terminate();
      port1.close();
    };
    return { link, taken, end };
  };

  test('blocks until there is a generation, and takes it', async () => {
    const { taken, end } = blocked([command(memberCommand(0, { case: 'committed', value: {} })), command(assignment(3, 1))]);
    expect(taken).toMatchObject({ assignment: { rank: 1, generation: { number: 3n } } });
    await end();
  });

  test('only the newest generation counts', () => {
    const { port1, port2 } = new MessageChannel();
    const link = new MemberLink(port1);
    for (const generation of [3, 4]) port2.postMessage(command(assignment(generation)));
    expect(link.takeAssignment(60_000)).toMatchObject({ assignment: { generation: { number: 4n } } });
    port1.close();
  });

  test.each<[string, LinkMessage]>([
    ['the coordinator', command(memberCommand(3, { case: 'abort', value: { reason: 'cancelled by a client' } }))],
    ['its thread', { kind: 'ENDED', message: 'cancelled by a client' }],
  ])('ends the wait when %s ends the session, and calls back once', async (_what, message) => {
    const { link, taken, end } = blocked([message]);
    expect(taken).toEqual({ ended: 'cancelled by a client' });
    expect(link.takeAssignment(60_000)).toEqual({ ended: 'cancelled by a client' });
    await end();
  });

  test('gives up at the deadline', () => {
    const { port1 } = new MessageChannel();
    expect(new MemberLink(port1).takeAssignment(20)).toBeUndefined();
    port1.close();
  });

  test('the first assignment to a generation is still to be formed; one to prepare is not', async () => {
    for (const [members, expected] of [[2, 'assignment'], [0, 'deadline']] as const) {
      const { port1, port2 } = new MessageChannel();
      const link = new MemberLink(port1);
      port2.postMessage(command(assignment(members === 0 ? 0 : 1, 0, members)));
      expect((await link.firstAssignment()).spec?.replicas).toBe(4);
      expect(link.takeAssignment(20) === undefined ? 'deadline' : 'assignment').toBe(expected);
      port1.close();
    }
  });

  test('a session that ends before the first assignment is an error that says why', async () => {
    const { port1, port2 } = new MessageChannel();
    const link = new MemberLink(port1);
    const ended: string[] = [];
    link.onEnded = (reason) => ended.push(reason);
    for (const message of ['FENCED', 'once more']) port2.postMessage({ kind: 'ENDED', message } satisfies LinkMessage);
    await expect(link.firstAssignment()).rejects.toThrow('FENCED');
    expect(await link.nextErrand()).toEqual({ kind: 'ENDED', reason: 'FENCED' });
    expect(ended).toEqual(['FENCED']);
    port1.close();
  });

  test('errands come one by one; the model of a generation is committed once, however often it is asked for', async () => {
    const { port1, port2 } = new MessageChannel();
    const link = new MemberLink(port1);
    const commit = (generation: number): void => port2.postMessage(command(memberCommand(generation, { case: 'commitModel', value: {} })));
    commit(3);
    expect(await link.nextErrand()).toEqual({ kind: 'COMMIT_MODEL', generation: 3n });
    commit(3);
    port2.postMessage(command(assignment(4)));
    expect(await link.nextErrand()).toEqual({ kind: 'REGROUP' });
    link.takeAssignment(0);
    commit(4);
    expect(await link.nextErrand()).toEqual({ kind: 'COMMIT_MODEL', generation: 4n });
    port1.close();
  });
});
