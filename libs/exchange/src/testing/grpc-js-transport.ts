/** A foreign peer: pulls by a stock grpc-js, so that ours are shown to be gRPC's. */
import { Client, credentials, Metadata, Server, ServerCredentials, status, type ClientReadableStream, type ServerWritableStream } from '@grpc/grpc-js';
import { RpcError } from '@lockstep/rpc';
import type { ChunkStream, IncomingPull, Listener, OutgoingPull, PullEvents, Transport } from '../transport/transport';
import { readChunk } from '../wire/chunk-header';
import type { ChunkMessage } from '../wire/chunk-message';
import { decodePull, encodePull, PULL_PATH, type PullClaim } from '../wire/exchange-service';

const identity = (bytes: Buffer): Buffer => bytes;

export class GrpcJsTransport implements Transport {
  /** @param maxMessageBytes largest message that a pull takes */
  constructor(private readonly maxMessageBytes: number) {}

  async listen(host: string, port: number, onPull: (pull: IncomingPull) => void): Promise<Listener> {
    const server = new Server({ 'grpc.max_send_message_length': -1 });
    server.addService(
      { pull: { path: PULL_PATH, requestStream: false, responseStream: true, requestSerialize: encodePull, requestDeserialize: decodePull, responseSerialize: identity, responseDeserialize: identity } },
      { pull: (call: ServerWritableStream<PullClaim, Buffer>) => onPull(incomingPull(call)) },
    );
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, actual) => { if (error) reject(error); else resolve(actual); });
    });
    return {
      port: bound,
      wireBytesSent: () => 0,
      close: () => {
        server.forceShutdown();
        return Promise.resolve();
      },
    };
  }

  pull(address: string, claim: PullClaim, events: PullEvents): OutgoingPull {
    const client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': this.maxMessageBytes, 'grpc.use_local_subchannel_pool': 1 });
    const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(PULL_PATH, encodePull, identity, claim, new Metadata());
    let over = false;
    call.on('metadata', () => { if (!over) events.admitted(); });
    call.on('data', (message: Buffer) => {
      if (over) return;
      const { header, payload } = readChunk(message);
      const target = events.chunk(header, payload.byteLength);
      target?.set(payload);
      if (target) events.filled();
    });
    const close = (cause: RpcError | undefined): void => {
      if (!over) {
        over = true;
        client.close();
        events.closed(cause);
      }
    };
    call.on('status', ({ code }) => { if (code === status.OK) close(undefined); });
    call.on('error', (error) => close(RpcError.from(error)));
    return {
      pause: () => void call.pause(),
      resume: () => void call.resume(),
      cancel: () => {
        over = true;
        call.cancel();
        client.close();
      },
    };
  }
}

function incomingPull(call: ServerWritableStream<PullClaim, Buffer>): IncomingPull {
  let closed = false;
  const listeners: (() => void)[] = [];
  call.on('cancelled', () => {
    closed = true;
    for (const listener of listeners.splice(0)) listener();
  });
  const stream: ChunkStream = {
    send: (message: ChunkMessage) => void call.write(message.toBuffer(), () => message.onSent()),
    end: () => void call.end(),
    abort: (error) => void call.emit('error', error.toStatus()),
  };
  return {
    claim: call.request,
    admit: () => {
      call.sendMetadata(new Metadata());
      return stream;
    },
    refuse: (error) => void call.emit('error', error.toStatus()),
    onClosed: (listener) => {
      if (closed) listener();
      else listeners.push(listener);
    },
  };
}
