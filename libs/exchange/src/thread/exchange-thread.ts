/**
 * The exchange's side of a worker: listens, holds pulls until the assignment is known, runs one generation at a time.
 */
import type { MessagePort } from 'node:worker_threads';
import { CollectiveError } from '@lockstep/reduction';
import { RpcError } from '@lockstep/rpc';
import { ArenaAccess } from '../arena/arena-access';
import { Counters } from '../group/counters';
import { formatGroup, validateGroup, type ExchangeGroup } from '../group/exchange-group';
import { Group } from '../group/group';
import { fenced, judgePull } from '../group/pull-admission';
import type { ResolvedOptions } from '../options';
import { GrpcTransport } from '../transport/grpc-transport';
import type { IncomingPull, Listener, Transport } from '../transport/transport';
import { GRPC_PREFIX_BYTES, HEADER_BYTES } from '../wire/chunk-header';
import { Control } from './control';
import { toWireError, type Answer, type Command, type FromThread, type Request, type SharedState, type ToThread } from './messages';

/** Pulls that may wait for our assignment. */
const MAX_HELD_PULLS = 1024;
/** What a message may carry beside a full chunk: claims are small too. */
const MESSAGE_SLACK_BYTES = 16 * 1024;

/** What runExchangeThread needs; made by createExchange. */
export interface ExchangeThreadData {
  readonly options: ResolvedOptions;
}

/** A running exchange thread, for other code that shares the thread (the session with the coordinator). */
export interface ExchangeThread {
  /**
   * Ends the running generation's work: a compute thread that waits gets a CollectiveError CLOSED with this message.
   * Does nothing without a generation.
   */
  abort(message: string): void;
  /**
   * Says that generations below this one are over: the one that runs fails with CollectiveError CLOSED, and one that the compute
   * thread asks for later is refused in the same way.
   */
  supersede(generation: bigint): void;
}

/**
 * Serves the exchange on this thread. The event loop stays free: other code may run beside it.
 *
 * @param port of createExchange, which tells through it what to do
 */
export function runExchangeThread(port: MessagePort, data: ExchangeThreadData): ExchangeThread {
  const { options } = data;
  const transport = new GrpcTransport({
    windowBytes: options.windowBytes,
    maxMessageBytes: options.constants.chunkBytes + HEADER_BYTES + GRPC_PREFIX_BYTES + MESSAGE_SLACK_BYTES,
  });
  return new ThreadState(port, options, transport);
}

/** The generation that runs. */
interface Current {
  readonly identity: ExchangeGroup;
  readonly group: Group;
  readonly control: Control;
}

class ThreadState implements ExchangeThread {
  private listener: Listener | undefined;
  private current: Current | undefined;
  /** Newest generation that was assigned, also after it was left. */
  private last: ExchangeGroup | undefined;
  private readonly held = new Map<IncomingPull, NodeJS.Timeout>();
  /** Lowest generation that is not over. */
  private lowest = 0n;

  constructor(
    private readonly port: MessagePort,
    private readonly options: ResolvedOptions,
    private readonly transport: Transport,
  ) {
    port.on('message', (message: ToThread) => this.handle(message));
    // A compute thread that waits must not wait for a thread that has ended.
    process.once('exit', () => this.current?.control.raiseFailed());
    void this.listen();
  }

  abort(message: string): void {
    if (!this.current) return;
    const { group, identity } = this.current;
    group.fail(new CollectiveError('CLOSED', `${formatGroup(identity)}: ${message}`));
    if (!group.isUp) group.cut(new RpcError('ABORTED', message, { reason: 'ABORTED' }));
  }

  supersede(generation: bigint): void {
    if (generation <= this.lowest) return;
    this.lowest = generation;
    if (this.current && this.current.identity.generation < generation) this.abort(`generation ${generation} follows`);
  }

  private async listen(): Promise<void> {
    const { host, port, advertisedHost } = this.options;
    try {
      this.listener = await this.transport.listen(host, port, (pull) => this.judge(pull));
      this.say({ kind: 'LISTENING', address: `${advertisedHost.includes(':') ? `[${advertisedHost}]` : advertisedHost}:${this.listener.port}` });
    } catch (error) {
      this.say({ kind: 'CANNOT_LISTEN', error: toWireError(error) });
    }
  }

  private handle(message: ToThread): void {
    if (message.kind === 'REQUEST') {
      void this.answer(message.id, message.request);
      return;
    }
    const { current } = this;
    if (current?.identity.generation !== message.generation) return;
    try {
      this.run(current.group, message);
    } catch (error) {
      // A fault of our own: the compute thread must not wait for what cannot come.
      current.group.fail(new CollectiveError('CLOSED', `${formatGroup(current.identity)}: the exchange failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}`));
    }
  }

  private run(group: Group, command: Command): void {
    switch (command.kind) {
      case 'BEGIN':
        group.begin(command.round);
        group.submit(command.bucket);
        return;
      case 'SUBMIT':
        group.submit(command.bucket);
        return;
      case 'AGREE':
        group.agree(command.number, command.position, command.claim);
        return;
    }
  }

  private async answer(id: number, request: Request): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.perform(request);
    } catch (error) {
      answer = { kind: 'REFUSED', error: toWireError(error) };
    }
    this.say({ kind: 'ANSWER', id, answer });
    // Whoever asked for a group waits on its cells, also when it was refused.
    if (request.kind === 'CONFIGURE') new Control(request.shared.control).wake();
    else this.current?.control.wake();
  }

  private async perform(request: Request): Promise<Answer> {
    switch (request.kind) {
      case 'CONFIGURE':
        await this.configure(request.group, request.shared);
        return { kind: 'DONE' };
      case 'FLUSH':
        await this.current?.group.untilFlushed();
        return { kind: 'DONE' };
      case 'EXPLAIN':
        return { kind: 'DONE', ...(this.current && { wait: this.current.group.describeWait(request.bucket) }) };
      case 'LEAVE':
        if (this.current?.identity.generation === request.generation) await this.leave();
        return { kind: 'DONE' };
      case 'SHUT_DOWN':
        await this.leave();
        for (const pull of [...this.held.keys()]) this.release(pull)?.refuse(new RpcError('UNAVAILABLE', 'this worker shuts down', { reason: 'SHUT_DOWN' }));
        await this.listener?.close();
        return { kind: 'DONE' };
    }
  }

  private async configure(identity: ExchangeGroup, shared: SharedState): Promise<void> {
    validateGroup(identity);
    if (this.last && (identity.job !== this.last.job || identity.generation <= this.last.generation)) {
      throw new CollectiveError('FENCED', `${formatGroup(identity)} cannot follow ${formatGroup(this.last)}: an exchange serves one job, and generations only grow`);
    }
    if (identity.generation < this.lowest) throw new CollectiveError('CLOSED', `${formatGroup(identity)}: generation ${this.lowest} follows`);
    this.current?.group.cut(fenced(this.current.identity.generation, identity.generation));
    const control = new Control(shared.control);
    const group = new Group({
      group: identity, options: this.options, transport: this.transport,
      arena: new ArenaAccess(shared.memory), counters: new Counters(shared.counters), now: () => performance.now(),
      wireBytesSent: () => this.listener?.wireBytesSent() ?? 0,
      onReduced: () => control.wake(),
      onAgreed: (operation) => control.setAgreed(operation),
      onFailed: (error) => {
        this.say({ kind: 'FAILED', generation: identity.generation, error: toWireError(error) });
        control.raiseFailed();
      },
    });
    this.current = { identity, group, control };
    this.last = identity;
    for (const pull of [...this.held.keys()]) {
      const released = this.release(pull);
      if (released) this.judge(released);
    }
    await group.up();
  }

  private async leave(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.group.leave();
  }

  private judge(pull: IncomingPull): void {
    const { last, current, options } = this;
    const verdict = judgePull(pull.claim, {
      token: last?.token ?? options.token,
      job: last?.job,
      generation: last?.generation,
      place: current && { rank: current.identity.rank, worldSize: current.identity.members.length },
    });
    switch (verdict.kind) {
      case 'ADMIT':
        current?.group.admit(pull);
        return;
      case 'HOLD':
        this.hold(pull);
        return;
      case 'REFUSE':
        pull.refuse(verdict.error);
        return;
    }
  }

  private hold(pull: IncomingPull): void {
    if (this.held.size >= MAX_HELD_PULLS) {
      pull.refuse(new RpcError('RESOURCE_EXHAUSTED', `${MAX_HELD_PULLS} pulls wait for this worker's assignment already`, { reason: 'TOO_MANY_PULLS' }));
      return;
    }
    const { connectTimeoutMs } = this.options;
    const timer = setTimeout(() => {
      this.release(pull)?.refuse(new RpcError('UNAVAILABLE', `this worker got no assignment to generation ${pull.claim.generation} within ${connectTimeoutMs} ms`, { reason: 'NO_ASSIGNMENT' }));
    }, connectTimeoutMs);
    this.held.set(pull, timer);
    pull.onClosed(() => void this.release(pull));
  }

  private release(pull: IncomingPull): IncomingPull | undefined {
    const timer = this.held.get(pull);
    if (timer === undefined) return undefined;
    clearTimeout(timer);
    this.held.delete(pull);
    return pull;
  }

  private say(message: FromThread): void {
    this.port.postMessage(message);
  }
}
