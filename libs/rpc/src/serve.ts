import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { Health } from '@lockstep/contract';
import { adaptHandler, type HandlerHooks } from './handlers';
import { DEFAULT_MAX_MESSAGE_BYTES } from './limits';
import { addReflection } from './reflection';
import { RpcError } from './rpc-error';
import { RunningCalls } from './running-call';
import type { RunningServer, ServerOptions } from './server';
import { serviceDefinition } from './service-definition';

/** See startServer. */
export async function serve(options: ServerOptions): Promise<RunningServer> {
  const { listen, services, logger, mapError, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const running = new RunningCalls();
  const hooks: HandlerHooks = {
    running,
    toRpcError: (caught, method) => {
      if (caught instanceof RpcError) return caught;
      const mapped = mapError?.(caught);
      if (mapped) return mapped;
      logger.error({ method, err: caught }, 'a call failed unexpectedly');
      return new RpcError('INTERNAL', `${method} failed unexpectedly: ${caught instanceof Error ? caught.message : String(caught)}`, { reason: 'INTERNAL' });
    },
  };
  for (const service of services) {
    const handlers = service.descriptor.methods.map((method) => [method.name, adaptHandler(method, service.handler(method.localName), hooks)] as const);
    server.addService(serviceDefinition(service.descriptor), Object.fromEntries(handlers));
  }
  const names = ['', ...services.map((s) => s.descriptor.typeName)];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])));
  health.addToServer(server);
  addReflection(server, [...services.map((s) => s.descriptor), Health]);
  const setServing = (serving: boolean): void => {
    for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(bindError(listen, error)) : resolve(bound)));
  });
  setServing(true);
  return {
    address: `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`,
    setServing,
    drain: async (graceMs) => {
      setServing(false);
      running.abort();
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
        new Promise<void>((resolve) => {
          timer = setTimeout(() => {
            logger.warn({ running: running.size, graceMs }, 'calls were still running at the end of the grace period and are cut');
            server.forceShutdown();
            resolve();
          }, graceMs);
        }),
      ]);
      clearTimeout(timer);
    },
  };
}

function bindError(listen: string, error: Error): RpcError {
  const taken = error.message.includes('EADDRINUSE');
  const what = taken ? 'the port is taken' : error.message;
  return new RpcError('UNAVAILABLE', `cannot listen on ${listen}: ${what}. Choose another with --listen, or stop what uses it`,
    { reason: taken ? 'ADDRESS_IN_USE' : 'CANNOT_LISTEN', metadata: { address: listen } }, { cause: error });
}
