import type {
  DescMethod, DescMethodBiDiStreaming, DescMethodClientStreaming, DescMethodServerStreaming, DescMethodUnary, DescService,
  MessageInitShape, MessageShape,
} from '@bufbuild/protobuf';
import { Metadata, type CallOptions as GrpcCallOptions } from '@grpc/grpc-js';
import type { Channel } from './channel';
import { RpcError } from './rpc-error';
import { methodDefinition } from './service-definition';
import { writeAll } from './write-all';

/** Deadline of a unary call unless the caller gives another. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface CallOptions {
  /** Deadline from now. Unary calls have DEFAULT_TIMEOUT_MS without it; streams have none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Wait for the connection instead of failing at once while the service is not there; the deadline still holds. */
  readonly waitForReady?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

type ClientMethod<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O> ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O> ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O> ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
          : never;

/** One function per rpc; they throw RpcError. */
export type ServiceClient<S extends DescService> = { [K in keyof S['method']]: ClientMethod<S['method'][K]> };

/** A typed client of a generated service on a channel. */
export function createClient<S extends DescService>(descriptor: S, channel: Channel): ServiceClient<S> {
  const methods = descriptor.methods.map((method) => [method.localName, clientMethod(method, channel)] as const);
  return Object.fromEntries(methods) as ServiceClient<S>;
}

function clientMethod(method: DescMethod, channel: Channel): (input: object, options?: CallOptions) => unknown {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  const { client } = channel;
  switch (method.methodKind) {
    case 'unary':
      return (request, options = {}) => new Promise((resolve, reject) => {
        const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadataOf(options), callOptions(options, DEFAULT_TIMEOUT_MS),
          (error, reply) => (error ? reject(located(error, channel)) : resolve(reply)));
        onAbort(options.signal, call);
      });
    case 'client_streaming':
      return (requests, options = {}) => new Promise((resolve, reject) => {
        const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(options), callOptions(options),
          (error, reply) => (error ? reject(located(error, channel)) : resolve(reply)));
        onAbort(options.signal, call);
        writeAll(call, requests as AsyncIterable<object>).catch((e: unknown) => {
          call.cancel();
          reject(e);
        });
      });
    case 'server_streaming':
      return (request, options = {}) => {
        const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadataOf(options), callOptions(options));
        onAbort(options.signal, call);
        return replies(call, () => call.cancel(), channel);
      };
    case 'bidi_streaming':
      return (requests, options = {}) => {
        const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(options), callOptions(options));
        onAbort(options.signal, call);
        writeAll(call, requests as AsyncIterable<object>).catch((e: unknown) => call.destroy(e instanceof Error ? e : new Error(String(e))));
        return replies(call, () => call.cancel(), channel);
      };
  }
}

async function* replies(stream: AsyncIterable<object>, cancel: () => void, channel: Channel): AsyncGenerator<object> {
  try {
    for await (const message of stream) yield message;
  } catch (e) {
    throw located(e, channel);
  } finally {
    cancel();
  }
}

/** An unreachable service is named by its address: the code alone does not say whom the call waited for. */
function located(caught: unknown, channel: Channel): RpcError {
  const error = RpcError.from(caught);
  if (error.code !== 'UNAVAILABLE' && error.code !== 'DEADLINE_EXCEEDED') return error;
  if (error.message.includes(channel.address)) return error;
  return new RpcError(error.code, `${channel.address}: ${error.message}`, error.details, { cause: caught });
}

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata({ waitForReady: options.waitForReady ?? false });
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  return metadata;
}

function callOptions(options: CallOptions, defaultTimeoutMs?: number): GrpcCallOptions {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

/** Cancels the call when the signal aborts; listens no longer than the call lasts. */
function onAbort(signal: AbortSignal | undefined, call: { cancel(): void; once(event: 'status', listener: () => void): unknown }): void {
  if (!signal) return;
  const cancel = (): void => call.cancel();
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  call.once('status', () => signal.removeEventListener('abort', cancel));
}
