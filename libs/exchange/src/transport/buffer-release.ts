import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Smaller messages come from Buffer's pool, which others use too, or do not weigh. */
const WORTH_RELEASING_BYTES = 64 * 1024;

/**
 * Gives the memory of received messages back at once.
 *
 * gRPC puts every message into a new ArrayBuffer. V8 counts those, and megabytes of them in every step make it collect
 * the whole heap many times a second, on all cores. A buffer that a message has for itself is moved into a message that
 * a closed port drops.
 */
export class BufferRelease {
  private readonly sink: MessagePort;

  constructor() {
    const { port1 } = new MessageChannel();
    port1.close();
    this.sink = port1;
  }

  /** The message must not be read again. */
  release(message: Buffer): void {
    const { buffer } = message;
    if (!(buffer instanceof ArrayBuffer) || message.byteLength < WORTH_RELEASING_BYTES || buffer.byteLength > message.byteLength + GRPC_SLACK_BYTES) return;
    this.sink.postMessage(null, [buffer]);
  }
}

/** A message lies behind gRPC's prefix in a buffer of its own; a larger one holds more than the message. */
const GRPC_SLACK_BYTES = 64;
