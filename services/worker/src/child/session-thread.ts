/**
 * The exchange thread's end of the member's session: holds the gRPC stream, heartbeats on it, and opens it again when it
 * breaks. Training goes on meanwhile: the coordinator is not on the data path.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Fault, JobErrorSchema, MemberCommandSchema, MemberMessageSchema, SessionService, type Assignment, type MemberCommand, type MemberMessage } from '@lockstep/contract';
import { fromProgressPoint } from '@lockstep/client';
import { AsyncQueue, createClient, openChannel, RpcError } from '@lockstep/rpc';
import type { ExchangeThread } from '@lockstep/exchange';
import type { MessagePort } from 'node:worker_threads';
import { ActivityMeter } from './activity-meter';
import { LinkCells } from './link-cells';
import type { LinkMessage } from './member-link';
import { Outbox } from './outbox';

const HEARTBEAT_MS = 500;
/** How long the compute thread may take to notice that its part is over; it may be in a loop without end. */
const END_WITHIN_MS = 3000;
/** Messages that may wait for the coordinator: progress is batched five times a second. */
const OUTGOING_LIMIT = 10_000;
const RECONNECT_MS = 200;
/** Peers that wait for a member notice first that it hangs; one that is alone, or whose peers hang too, has only itself. */
const OWN_PATIENCE = 1.5;
/** How long a member works on without a coordinator. */
const HOLD_MS = 10 * 60_000;

/** Refusals that another try would not change. */
const FINAL_CODES: readonly string[] = ['FAILED_PRECONDITION', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND', 'INVALID_ARGUMENT', 'UNIMPLEMENTED'];

/**
 * Serves the session on a port until the compute thread closes it. When a generation is over at once, or this member's
 * part ends, the exchange is told too: a compute thread that waits for its peers must not wait for its deadline.
 *
 * @param killProcess ends this process, whatever its threads do
 */
export function runSessionThread(port: MessagePort, exchange: ExchangeThread, killProcess: () => void): void {
  const outbox = new Outbox();
  let cells = new LinkCells();
  let meter = new ActivityMeter(cells, performance.now());
  let outgoing: AsyncQueue<MemberMessage> | undefined;
  /** Of the last assignment; one to prepare for a generation is of none, and numbered 0. */
  let assignedTo: bigint | undefined;
  let generation = 0n;
  let over = false;

  const post = (message: LinkMessage): void => {
    port.postMessage(message);
    cells.arrived();
  };
  const say = (messages: readonly MemberMessage[]): void => {
    for (const message of messages) outgoing?.push(message);
  };

  /** This process has no part in the job any more: whoever waits for peers is told, and nobody goes on as a ghost. */
  const end = (reason: string): void => {
    over = true;
    exchange.abort(reason);
    setTimeout(killProcess, END_WITHIN_MS).unref();
  };

  const assigned = (number: bigint, assignment: Assignment): void => {
    if ((assignment.generation?.members.length ?? 0) === 0) return;
    generation = number;
    if (assignment.atBoundary) {
      cells.announce(Number(number));
    } else {
      cells.newestGeneration = Number(number);
      exchange.supersede(number);
    }
    say(outbox.assigned(number, assignment.rank, fromProgressPoint(assignment.committed)));
  };

  const obey = (command: MemberCommand): void => {
    switch (command.command.case) {
      case 'committed': {
        const point = fromProgressPoint(command.command.value.point);
        if (point) outbox.commit(point);
        return;
      }
      case 'assignment':
        // What is repeated after a break may be known.
        if (assignedTo !== undefined && command.generation <= assignedTo) return;
        assignedTo = command.generation;
        assigned(command.generation, command.command.value);
        break;
      case 'release':
        // Said again after a break; the generation may be over too.
        if (command.generation > BigInt(cells.newestGeneration)) cells.announce(Number(command.generation));
        return;
      case 'abort':
        post({ kind: 'COMMAND', bytes: toBinary(MemberCommandSchema, command) });
        end(command.command.value.reason);
        return;
      case 'commitModel':
      case undefined:
        break;
    }
    post({ kind: 'COMMAND', bytes: toBinary(MemberCommandSchema, command) });
  };

  /** The heart beats on this thread, whatever the compute thread does: a step without end is found by its silence. */
  const watchSteps = (stepTimeoutMs: number): void => {
    const patienceMs = stepTimeoutMs * OWN_PATIENCE;
    let [steps, sinceMs] = [cells.steps, performance.now()];
    setInterval(() => {
      const nowMs = performance.now();
      if (cells.steps !== steps || !cells.inCall) [steps, sinceMs] = [cells.steps, nowMs];
      if (over || nowMs - sinceMs <= patienceMs) return;
      const message = `the compute thread has not come to its next step for ${Math.round(nowMs - sinceMs)} ms (a step may take ${stepTimeoutMs} ms): it hangs, or --step-timeout is too short`;
      say(outbox.add(create(MemberMessageSchema, { generation, message: { case: 'failed', value: { error: create(JobErrorSchema, { reason: 'COMPUTE_STALLED', message, fault: Fault.WORKER }) } } })));
      setTimeout(() => end(message), HEARTBEAT_MS);
      sinceMs = Infinity;
    }, HEARTBEAT_MS).unref();
  };

  const session = async (coordinator: string, hello: MemberMessage): Promise<void> => {
    const channel = openChannel(coordinator);
    const queue = new AsyncQueue<MemberMessage>(OUTGOING_LIMIT, 'the session with the coordinator');
    queue.push(hello);
    outgoing = queue;
    say(outbox.again());
    const heartbeat = setInterval(() => queue.push(create(MemberMessageSchema, { generation, message: { case: 'heartbeat', value: { activity: meter.look(performance.now()) } } })), HEARTBEAT_MS);
    try {
      for await (const command of createClient(SessionService, channel).join(queue)) obey(command);
      if (!over) throw new RpcError('UNAVAILABLE', 'the coordinator ended the session');
    } finally {
      clearInterval(heartbeat);
      outgoing = undefined;
      queue.close();
      channel.close();
    }
  };

  const run = async (coordinator: string, hello: MemberMessage): Promise<void> => {
    const { message: content } = hello;
    if (content.case !== 'hello') throw new Error('a session begins with hello');
    let rejoins = false;
    for (let heardMs = performance.now(); !over;) {
      const openedMs = performance.now();
      try {
        await session(coordinator, create(MemberMessageSchema, { generation, message: { case: 'hello', value: { ...content.value, rejoins } } }));
      } catch (e) {
        if (over) break;
        const error = RpcError.from(e);
        // A session that lived was heard of until it broke.
        if (performance.now() - openedMs > HEARTBEAT_MS) heardMs = performance.now();
        if (FINAL_CODES.includes(error.code) || performance.now() - heardMs > HOLD_MS) {
          post({ kind: 'ENDED', message: `the session with the coordinator at ${coordinator} ended: ${error.message}` });
          end(`the session with the coordinator ended: ${error.message}`);
          break;
        }
        rejoins = true;
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
    }
    post({ kind: 'ENDED', message: 'the session with the coordinator is over' });
    port.close();
  };

  port.on('message', (message: LinkMessage) => {
    switch (message.kind) {
      case 'OPEN':
        cells = new LinkCells(message.cells);
        meter = new ActivityMeter(cells, performance.now());
        watchSteps(message.stepTimeoutMs);
        void run(message.coordinator, fromBinary(MemberMessageSchema, message.bytes));
        break;
      case 'MEMBER_MESSAGE':
        say(outbox.add(fromBinary(MemberMessageSchema, message.bytes)));
        break;
      case 'COMMAND':
      case 'ENDED':
        break;
    }
  });
}
