import { RpcError } from '@lockstep/rpc';

/** What a reader of a client's stream must know. */
export interface MessageReaderOptions {
  /** Aborts when the client is gone or the server leaves. */
  readonly signal: AbortSignal;
  /** How long to wait for the next message. */
  readonly idleTimeoutMs: number;
  /** Address of the client, for errors. */
  readonly peer: string;
}

/**
 * Takes messages from a client's stream one at a time, with a deadline for each.
 *
 * The stream's iterator is never closed from here: closing it would destroy the call before its status is sent.
 */
export class MessageReader<T> {
  private readonly messages: AsyncIterator<T>;

  constructor(stream: AsyncIterable<T>, private readonly options: MessageReaderOptions) {
    this.messages = stream[Symbol.asyncIterator]();
  }

  /**
   * The next message, or undefined at the end of the stream.
   *
   * @throws RpcError DEADLINE_EXCEEDED (STREAM_IDLE) that names the client; UNAVAILABLE (CALL_ENDED) when it has gone or the server leaves
   */
  async next(): Promise<T | undefined> {
    const { signal, idleTimeoutMs, peer } = this.options;
    let stop: () => void = () => undefined;
    const interrupted = new Promise<never>((_, reject) => {
      const gone = (): void => reject(new RpcError('UNAVAILABLE', `the call of ${peer} was ended before its stream: the client cancelled it, or the service is leaving; resume it`, { reason: 'CALL_ENDED' }));
      const timer = setTimeout(() => reject(new RpcError('DEADLINE_EXCEEDED', `${peer} sent nothing for ${idleTimeoutMs} ms: the call is ended; resume it`, { reason: 'STREAM_IDLE' })), idleTimeoutMs);
      signal.addEventListener('abort', gone, { once: true });
      if (signal.aborted) gone();
      stop = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
      };
    });
    try {
      const result = await Promise.race([this.messages.next(), interrupted]);
      return result.done === true ? undefined : result.value;
    } finally {
      stop();
    }
  }
}
