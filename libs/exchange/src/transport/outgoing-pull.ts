/** A pull as a gRPC call on a connection of its own. */
import { RpcError } from '@lockstep/rpc';
import type { ConnectionOptions } from '../http2/connection';
import { ClientRequest, type RequestEnd, type RequestEvents } from '../http2/client-request';
import type { HeaderField } from '../http2/hpack/static-table';
import { GRPC_PREFIX_BYTES } from '../wire/chunk-header';
import { encodePull, PULL_PATH, type PullClaim } from '../wire/exchange-service';
import { ChunkReader } from './chunk-reader';
import { errorCodeError, httpStatusError, readStatus } from './grpc-status';
import { isGrpc } from './incoming-pull';
import { parseAddress, type Sockets } from './sockets';
import type { OutgoingPull, PullEvents } from './transport';

export interface PullOptions {
  readonly sockets: Sockets;
  readonly connection: ConnectionOptions;
  /** Largest message that is accepted. */
  readonly maxMessageBytes: number;
  /** Where the network reads to when nothing better is known; shared by the pulls of a thread, which read one after the other. */
  readonly staging: Uint8Array;
}

/** @throws RangeError for an address that is no host:port */
export function openPull(options: PullOptions, address: string, claim: PullClaim, events: PullEvents): OutgoingPull {
  const call = new PullCall(options, address, claim, events);
  return { pause: () => call.request.hold(), resume: () => call.request.release(), cancel: () => call.request.cancel() };
}

class PullCall implements RequestEvents {
  readonly request: ClientRequest;
  private readonly reader: ChunkReader;

  constructor(options: PullOptions, private readonly address: string, claim: PullClaim, private readonly events: PullEvents) {
    const { sockets, connection, maxMessageBytes, staging } = options;
    const { host, port } = parseAddress(address);
    this.reader = new ChunkReader(maxMessageBytes, events);
    // The socket asks where to read to while it is being made.
    let request: ClientRequest | undefined = undefined;
    const socket = sockets.dial(host, port, {
      next: () => request?.nextRead(staging) ?? staging,
      read: (target, bytes) => request?.read(target, bytes),
    });
    request = new ClientRequest(socket, connection, requestFields(address), requestBody(claim), this);
    this.request = request;
  }

  headers(fields: readonly HeaderField[]): void {
    const value = (name: string): string | undefined => fields.find((field) => field.name === name)?.value;
    const status = value(':status');
    if (status !== '200') this.fail(httpStatusError(status ?? 'that is missing'));
    else if (!isGrpc(value('content-type'))) this.fail(new RpcError('UNKNOWN', `${this.address} answers with content type ${value('content-type') ?? 'none'}, not gRPC`));
    else this.events.admitted();
  }

  data(bytes: Uint8Array): void {
    try {
      this.reader.data(bytes);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.fail(error);
    }
  }

  place(limitBytes: number): Uint8Array | undefined {
    return this.reader.place(limitBytes);
  }

  placed(bytes: number): void {
    this.reader.placed(bytes);
  }

  ended(end: RequestEnd): void {
    this.events.closed(this.causeOf(end));
  }

  private causeOf(end: RequestEnd): RpcError | undefined {
    switch (end.kind) {
      case 'COMPLETE': {
        const error = readStatus(end.fields);
        return error ?? (this.reader.isWithinMessage ? new RpcError('INTERNAL', 'the answer ended within a message') : undefined);
      }
      case 'RESET':
        return errorCodeError(end.code, `${this.address} reset the call with ${end.code}`);
      case 'GOAWAY':
        return end.code === 'NO_ERROR'
          ? new RpcError('UNAVAILABLE', `${this.address} takes no more calls on this connection`)
          : errorCodeError(end.code, `${this.address} ended the connection with ${end.code}${end.message === '' ? '' : `: ${end.message}`}`);
      case 'DISCONNECTED':
        return new RpcError('UNAVAILABLE', `the connection to ${this.address} ${end.error ? `failed: ${end.error.message}` : 'was closed'}`, {}, { cause: end.error });
      case 'BROKEN':
        return new RpcError('INTERNAL', `${this.address} breaks HTTP/2 (${end.error.code}): ${end.error.message}`, {}, { cause: end.error });
    }
  }

  private fail(error: RpcError): void {
    this.request.cancel();
    this.events.closed(error);
  }
}

const requestFields = (address: string): readonly HeaderField[] => [
  { name: ':method', value: 'POST' }, { name: ':scheme', value: 'http' }, { name: ':path', value: PULL_PATH }, { name: ':authority', value: address },
  { name: 'te', value: 'trailers' }, { name: 'content-type', value: 'application/grpc' }, { name: 'user-agent', value: 'grpc-lockstep-exchange' },
];

function requestBody(claim: PullClaim): Buffer {
  const message = encodePull(claim);
  const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
