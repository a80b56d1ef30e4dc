/**
 * Runs handlers behind grpc-js's four call shapes.
 *
 * 1. Whatever a handler throws reaches the client through one mapper; what the mapper does not know is INTERNAL, logged.
 * 2. A slow reader slows its handler: a stream waits for drain before it takes the next message.
 * 3. When the client goes away the context's signal aborts and the handler's generator is closed.
 */
import type {
  handleBidiStreamingCall, handleClientStreamingCall, handleServerStreamingCall, handleUnaryCall,
  ServerDuplexStream, ServerWritableStream, UntypedHandleCall,
} from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import type { CallContext, UntypedHandler } from './implementation';
import { RpcError } from './rpc-error';
import type { RunningCalls } from './running-call';

type WritableCall = ServerWritableStream<object, object> | ServerDuplexStream<object, object>;

/** What the plumbing needs of its surroundings. */
export interface HandlerHooks {
  /** Maps whatever was thrown; also the place where unexpected errors are logged. */
  toRpcError(caught: unknown, method: string): RpcError;
  readonly running: RunningCalls;
}

/** Adapts one handler to the shape of its method. */
export function adaptHandler(method: DescMethod, handler: UntypedHandler, hooks: HandlerHooks): UntypedHandleCall {
  const name = `/${method.parent.typeName}/${method.name}`;
  const fail = (caught: unknown) => hooks.toRpcError(caught, name).toStatus();

  const unary: handleUnaryCall<object, object> = (call, callback) => {
    const context = hooks.running.enter(name, call);
    Promise.resolve()
      .then(() => handler(call.request, context))
      .then((reply) => callback(null, reply as object), (e: unknown) => callback(fail(e)))
      .finally(() => context.leave());
  };
  const clientStream: handleClientStreamingCall<object, object> = (call, callback) => {
    const context = hooks.running.enter(name, call);
    Promise.resolve()
      .then(() => handler(call, context))
      .then((reply) => callback(null, reply as object), (e: unknown) => callback(fail(e)))
      .finally(() => context.leave());
  };
  const serverStream: handleServerStreamingCall<object, object> = (call) => {
    const context = hooks.running.enter(name, call);
    void pump(call, () => handler(call.request, context) as AsyncIterable<object>, context, fail).finally(() => context.leave());
  };
  const bidi: handleBidiStreamingCall<object, object> = (call) => {
    const context = hooks.running.enter(name, call);
    // A cancelled bidirectional call emits an error to its reader; the signal already tells the handler.
    call.on('error', () => undefined);
    // The requests may end while replies are still to come: ending their iteration must not destroy the call.
    const requests: unknown = call.iterator({ destroyOnReturn: false });
    void pump(call, () => handler(requests as object, context) as AsyncIterable<object>, context, fail).finally(() => context.leave());
  };
  switch (method.methodKind) {
    case 'unary': return unary;
    case 'client_streaming': return clientStream;
    case 'server_streaming': return serverStream;
    case 'bidi_streaming': return bidi;
  }
}

async function pump(
  call: WritableCall,
  open: () => AsyncIterable<object>,
  context: CallContext,
  fail: (caught: unknown) => object,
): Promise<void> {
  try {
    for await (const message of open()) {
      if (context.signal.aborted) return;
      if (!call.write(message) && !(await drained(call, context.signal))) {
        throw new RpcError('DEADLINE_EXCEEDED', `${context.peer} has not read from ${context.method} for ${STALL_LIMIT_MS / 1000} s`, { reason: 'READER_STALLED' });
      }
    }
    call.end();
  } catch (e) {
    call.emit('error', fail(e));
  }
}

/** A reader that takes nothing for so long gives up its place: it holds memory, and perhaps one of few slots. */
const STALL_LIMIT_MS = 120_000;

/** @returns whether the reader has read on, or the call has ended */
function drained(call: WritableCall, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (moved: boolean) => (): void => {
      clearTimeout(timer);
      call.off('drain', moves);
      signal.removeEventListener('abort', moves);
      resolve(moved);
    };
    const moves = done(true);
    const timer = setTimeout(done(false), STALL_LIMIT_MS);
    timer.unref();
    call.once('drain', moves);
    signal.addEventListener('abort', moves, { once: true });
  });
}
