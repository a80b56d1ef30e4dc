import type {
  DescMethod, DescMethodBiDiStreaming, DescMethodClientStreaming, DescMethodServerStreaming, DescMethodUnary, DescService,
  MessageInitShape, MessageShape,
} from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';

/** What a handler knows of its call. */
export interface CallContext {
  /** Full name of the method, for logs: `/lockstep.artifact.v1.ArtifactService/GetVersion`. */
  readonly method: string;
  /** Aborted when the client cancels, its deadline passes, or the server shuts down. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
  /** Address of the caller. */
  readonly peer: string;
}

type MethodImplementation<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O> ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>> | MessageInitShape<O>
    : M extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O> ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => Promise<MessageInitShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O> ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
          : never;

/** One function per rpc of a service; unary ones return, streaming ones are async generators. Thrown errors go through the mapper. */
export type ServiceImplementation<S extends DescService> = { [K in keyof S['method']]: MethodImplementation<S['method'][K]> };

/** A function as the server's plumbing calls it: the types were checked at `implement`. */
export type UntypedHandler = (input: object, context: CallContext) => unknown;

/** A service and its implementation, ready to be served. */
export interface ServedService {
  readonly descriptor: DescService;
  handler(localName: string): UntypedHandler;
}

/** Pairs a service with its implementation, checked by type. */
export function implement<S extends DescService>(descriptor: S, implementation: ServiceImplementation<S>): ServedService {
  const handlers = new Map(Object.entries(implementation as Record<string, UntypedHandler>));
  return {
    descriptor,
    handler: (localName) => {
      const found = handlers.get(localName);
      if (!found) throw new Error(`${descriptor.typeName} does not implement ${localName}`);
      return found.bind(implementation);
    },
  };
}
