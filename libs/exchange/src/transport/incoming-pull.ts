/** A request that may be a pull (gRPC over HTTP/2: PROTOCOL-HTTP2.md, "Requests" and "Responses"). */
import { RpcError } from '@lockstep/rpc';
import type { HeaderField } from '../http2/hpack/static-table';
import type { ServerRequest } from '../http2/server-connection';
import type { ServerStream } from '../http2/server-stream';
import { GRPC_PREFIX_BYTES } from '../wire/chunk-header';
import type { ChunkMessage } from '../wire/chunk-message';
import { decodePull, PULL_PATH, type PullClaim } from '../wire/exchange-service';
import { OK_FIELDS, statusFields } from './grpc-status';
import type { ChunkStream, IncomingPull } from './transport';

const CONTENT_TYPE = 'application/grpc';
const HEADERS: readonly HeaderField[] = [{ name: ':status', value: '200' }, { name: 'content-type', value: CONTENT_TYPE }];

/** Whether a content type is gRPC's, whatever the encoding of its messages. */
export const isGrpc = (contentType: string | undefined): boolean => contentType !== undefined && /^application\/grpc($|[+;])/.test(contentType);

/** Answers what is no pull, and hands on what is one. */
export function receiveRequest(request: ServerRequest, onPull: (pull: IncomingPull) => void): void {
  const { fields: { method, path, headers }, body, stream } = request;
  const refuse = (error: RpcError): void => stream.finish([...HEADERS, ...statusFields(error)], 'AT_ONCE');
  const answer = (status: string): void => stream.finish([{ name: ':status', value: status }], 'AT_ONCE');
  if (method !== 'POST') answer('405');
  else if (!isGrpc(headers.get('content-type'))) answer('415');
  else if (headers.get('te') !== 'trailers') refuse(new RpcError('INTERNAL', 'the request lacks "te: trailers": something between client and server does not pass trailers on'));
  else if (path !== PULL_PATH) refuse(new RpcError('UNIMPLEMENTED', `${path} is not served here; ${PULL_PATH} is`));
  else if (body.kind === 'TOO_LARGE') refuse(new RpcError('RESOURCE_EXHAUSTED', 'the request is larger than any PullRequest'));
  else {
    const claim = readClaim(body.bytes);
    if (claim instanceof RpcError) refuse(claim);
    else onPull(incomingPull(claim, stream, refuse));
  }
}

function incomingPull(claim: PullClaim, stream: ServerStream, refuse: (error: RpcError) => void): IncomingPull {
  return {
    claim,
    admit: () => {
      stream.respond(HEADERS);
      return new HttpChunkStream(stream);
    },
    refuse,
    onClosed: (listener) => stream.onClosed(listener),
  };
}

class HttpChunkStream implements ChunkStream {
  constructor(private readonly stream: ServerStream) {}

  send(message: ChunkMessage): void {
    this.stream.send(message.head(), message.payload, message.onSent);
  }

  end(): void {
    this.stream.finish(OK_FIELDS, 'AFTER_SENT');
  }

  abort(error: RpcError): void {
    this.stream.finish(statusFields(error), 'AT_ONCE');
  }
}

function readClaim(body: Buffer): PullClaim | RpcError {
  if (body.length < GRPC_PREFIX_BYTES || body.readUInt32BE(1) !== body.length - GRPC_PREFIX_BYTES) {
    return new RpcError('INTERNAL', `the request has ${body.length} bytes, which are not exactly one message`);
  }
  if (body[0] !== 0) return new RpcError('UNIMPLEMENTED', 'the request is compressed, which is not supported');
  try {
    return decodePull(body.subarray(GRPC_PREFIX_BYTES));
  } catch (error) {
    return new RpcError('INTERNAL', `the request is no PullRequest: ${error instanceof Error ? error.message : String(error)}`);
  }
}
