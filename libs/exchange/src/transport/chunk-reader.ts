/**
 * The bytes of a pull's answer to chunks.
 *
 * 1. A message in our layout goes to its place as it comes: its header is read as soon as it is there, its payload is
 *    written once. A message in another layout of protobuf's is collected first.
 * 2. Copies go by aligned words where they can (arena/aligned-copy).
 */
import { RpcError } from '@lockstep/rpc';
import { copyAligned } from '../arena/aligned-copy';
import { GRPC_PREFIX_BYTES, HEADER_BYTES, readChunk, readHeader } from '../wire/chunk-header';
import type { ChunkSink } from './transport';

type State =
  | { readonly kind: 'PREFIX' }
  /** Behind the prefix, of a message that is long enough to be in our layout. */
  | { readonly kind: 'HEADER'; readonly messageBytes: number }
  /** The whole of a message that is not in our layout. */
  | { readonly kind: 'MESSAGE'; readonly message: Buffer }
  /** A payload on its way; no target: it is dropped. */
  | { readonly kind: 'PAYLOAD'; readonly target: Uint8Array | undefined; readonly bytes: number };

export class ChunkReader {
  private state: State = { kind: 'PREFIX' };
  private readonly head = Buffer.allocUnsafeSlow(GRPC_PREFIX_BYTES + HEADER_BYTES);
  /** Bytes of what the state collects that are there. */
  private done = 0;

  constructor(
    private readonly maxMessageBytes: number,
    private readonly sink: ChunkSink,
  ) {}

  /** Whether a message has begun that is not complete. */
  get isWithinMessage(): boolean {
    return this.state.kind !== 'PREFIX' || this.done > 0;
  }

  /** @throws RpcError for a message that is too long, or compressed */
  data(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const { state } = this;
      const part = bytes.subarray(at, at + this.wanted() - this.done);
      switch (state.kind) {
        case 'PREFIX':
        case 'HEADER':
          this.head.set(part, this.done);
          break;
        case 'MESSAGE':
          state.message.set(part, this.done);
          break;
        case 'PAYLOAD':
          if (state.target) copyAligned(state.target, this.done, part);
          break;
      }
      at += part.length;
      this.take(part.length);
    }
  }

  /** Where the next bytes go if they need not pass through a buffer. */
  place(limitBytes: number): Uint8Array | undefined {
    const { state, done } = this;
    return state.kind === 'PAYLOAD' && state.target ? state.target.subarray(done, Math.min(state.bytes, done + limitBytes)) : undefined;
  }

  /** So many bytes are there. */
  placed(bytes: number): void {
    this.take(bytes);
  }

  private take(bytes: number): void {
    this.done += bytes;
    while (this.done === this.wanted()) if (!this.complete()) return;
  }

  /** How many bytes the state collects. */
  private wanted(): number {
    const { state } = this;
    switch (state.kind) {
      case 'PREFIX':
        return GRPC_PREFIX_BYTES;
      case 'HEADER':
        return this.head.length;
      case 'MESSAGE':
        return state.message.length;
      case 'PAYLOAD':
        return state.bytes;
    }
  }

  /** Leaves the state that is complete. @returns false when the next one waits for bytes */
  private complete(): boolean {
    const { state } = this;
    switch (state.kind) {
      case 'PREFIX':
        this.prefixComplete();
        return true;
      case 'HEADER':
        this.headerComplete(state.messageBytes);
        return true;
      case 'MESSAGE':
        this.messageComplete(state.message);
        return false;
      case 'PAYLOAD':
        this.enter({ kind: 'PREFIX' }, 0);
        if (state.target) this.sink.filled();
        return false;
    }
  }

  private prefixComplete(): void {
    const messageBytes = this.head.readUInt32BE(1);
    if (this.head[0] !== 0) throw new RpcError('UNIMPLEMENTED', 'a message is compressed, which was not offered');
    if (messageBytes > this.maxMessageBytes) throw new RpcError('RESOURCE_EXHAUSTED', `a message of ${messageBytes} bytes; at most ${this.maxMessageBytes} are taken`);
    if (messageBytes >= HEADER_BYTES) this.enter({ kind: 'HEADER', messageBytes }, GRPC_PREFIX_BYTES);
    else this.enter({ kind: 'MESSAGE', message: Buffer.allocUnsafeSlow(messageBytes) }, 0);
  }

  private headerComplete(messageBytes: number): void {
    const header = this.read(() => readHeader(this.head.subarray(GRPC_PREFIX_BYTES), messageBytes));
    const bytes = messageBytes - HEADER_BYTES;
    if (header) {
      this.enter({ kind: 'PAYLOAD', target: header === 'MALFORMED' ? undefined : this.sink.chunk(header, bytes), bytes }, 0);
    } else {
      const message = Buffer.allocUnsafeSlow(messageBytes);
      this.enter({ kind: 'MESSAGE', message }, this.head.copy(message, 0, GRPC_PREFIX_BYTES));
    }
  }

  private messageComplete(message: Buffer): void {
    this.enter({ kind: 'PREFIX' }, 0);
    const chunk = this.read(() => readChunk(message));
    if (chunk === 'MALFORMED') return;
    const target = this.sink.chunk(chunk.header, chunk.payload.byteLength);
    if (!target) return;
    copyAligned(target, 0, chunk.payload);
    this.sink.filled();
  }

  private read<T>(parse: () => T): T | 'MALFORMED' {
    try {
      return parse();
    } catch (error) {
      this.sink.malformed(error instanceof Error ? error.message : String(error));
      return 'MALFORMED';
    }
  }

  private enter(state: State, done: number): void {
    this.state = state;
    this.done = done;
  }
}
