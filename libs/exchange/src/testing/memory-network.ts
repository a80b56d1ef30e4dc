import { RpcError } from '@lockstep/rpc';
import type { ChunkStream, IncomingPull, Listener, OutgoingPull, PullEvents, Transport } from '../transport/transport';
import { readChunk, type ReceivedChunk } from '../wire/chunk-header';
import type { ChunkMessage } from '../wire/chunk-message';
import type { PullClaim } from '../wire/exchange-service';

/** What to do with a message on its way: pass it on, changed or not, or drop it. */
export type Tamper = (message: Buffer, fromRank: number, toRank: number) => Buffer | undefined;

/**
 * Pulls inside one process. Streams keep their order; which stream goes next is drawn from a seed. Messages are
 * read as late as the interface allows, when they are delivered; between header and payload others may come.
 */
export class MemoryNetwork implements Transport {
  private readonly servers = new Map<string, (pull: IncomingPull) => void>();
  private readonly streams = new Set<MemoryStream>();
  private nextPort = 1;
  private state: number;
  private pumping = false;
  tamper: Tamper = (message) => message;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  listen(host: string, _port: number, onPull: (pull: IncomingPull) => void): Promise<Listener> {
    const port = this.nextPort++;
    this.servers.set(`${host}:${port}`, onPull);
    return Promise.resolve({
      port,
      wireBytesSent: () => 0,
      close: () => {
        this.servers.delete(`${host}:${port}`);
        return Promise.resolve();
      },
    });
  }

  pull(address: string, claim: PullClaim, events: PullEvents): OutgoingPull {
    const stream = new MemoryStream(claim, events, () => this.schedule());
    this.streams.add(stream);
    stream.enqueue(() => {
      const server = this.servers.get(address);
      if (server) server(stream.incoming(this.tamperFor(claim)));
      else stream.close(new RpcError('UNAVAILABLE', `nobody listens at ${address}`));
    });
    return stream;
  }

  /** Drops all streams of a rank, as when its process dies. */
  kill(rank: number): void {
    for (const stream of this.streams) {
      if (stream.claim.rank === rank || stream.claim.targetRank === rank) stream.close(new RpcError('UNAVAILABLE', 'Connection dropped'));
    }
  }

  private tamperFor(claim: PullClaim): (message: Buffer) => Buffer | undefined {
    return (message) => this.tamper(message, claim.targetRank, claim.rank);
  }

  private schedule(): void {
    if (this.pumping) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      const ready = [...this.streams].filter((stream) => stream.ready);
      this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
      ready[Math.floor((this.state / 2 ** 32) * ready.length)]?.step();
      if (ready.length > 0) this.schedule();
    });
  }
}

class MemoryStream implements OutgoingPull {
  private readonly queue: (() => void)[] = [];
  private readonly closeListeners: (() => void)[] = [];
  private paused = false;
  private closed = false;

  constructor(
    readonly claim: PullClaim,
    private readonly events: PullEvents,
    private readonly schedule: () => void,
  ) {}

  get ready(): boolean {
    return !this.paused && this.queue.length > 0;
  }

  step(): void {
    this.queue.shift()?.();
  }

  enqueue(task: () => void): void {
    this.queue.push(task);
    this.schedule();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.schedule();
  }

  cancel(): void {
    this.over();
  }

  close(cause: RpcError | undefined): void {
    if (!this.closed) {
      this.over();
      this.events.closed(cause);
    }
  }

  incoming(tamper: (message: Buffer) => Buffer | undefined): IncomingPull {
    const stream: ChunkStream = {
      send: (message: ChunkMessage) => this.enqueue(() => {
        const passed = tamper(message.toBuffer());
        message.onSent();
        if (passed) this.deliver(passed);
      }),
      end: () => this.enqueue(() => this.close(undefined)),
      abort: (error) => {
        this.queue.length = 0;
        this.enqueue(() => this.close(error));
      },
    };
    return {
      claim: this.claim,
      admit: () => {
        this.enqueue(() => this.events.admitted());
        return stream;
      },
      refuse: (error) => this.enqueue(() => this.close(error)),
      onClosed: (listener) => {
        if (this.closed) listener();
        else this.closeListeners.push(listener);
      },
    };
  }

  private deliver(message: Buffer): void {
    let chunk: ReceivedChunk;
    try {
      chunk = readChunk(message);
    } catch (error) {
      this.events.malformed(error instanceof Error ? error.message : String(error));
      return;
    }
    const target = this.events.chunk(chunk.header, chunk.payload.byteLength);
    if (!target) return;
    this.queue.unshift(() => {
      target.set(chunk.payload);
      this.events.filled();
    });
    this.schedule();
  }

  private over(): void {
    if (this.closed) return;
    this.closed = true;
    this.queue.length = 0;
    for (const listener of this.closeListeners) listener();
  }
}
