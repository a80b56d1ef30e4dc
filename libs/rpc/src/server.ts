import { createRequire } from 'node:module';
import type { ServedService } from './implementation';
import type { Logger } from './logger';
import type { RpcError } from './rpc-error';
import type * as Serve from './serve';

export interface ServerOptions {
  /** host:port; port 0 lets the system choose. */
  readonly listen: string;
  readonly services: readonly ServedService[];
  readonly logger: Logger;
  /** Domain error -> RpcError; returns undefined for what it does not know, which becomes INTERNAL. */
  readonly mapError?: (caught: unknown) => RpcError | undefined;
  readonly maxMessageBytes?: number;
}

/** A running gRPC server with health and reflection. */
export interface RunningServer {
  /** host:port that it listens on. */
  readonly address: string;
  /** Announces through grpc.health.v1 whether the services' dependencies are there. */
  setServing(serving: boolean): void;
  /**
   * Graceful end: NOT_SERVING, no new calls, streams aborted, running calls finish; after `graceMs` what is left is cut.
   */
  drain(graceMs: number): Promise<void>;
}

const load = createRequire(__filename);

/**
 * Starts a server. Resolves once it listens and is SERVING. What serves is loaded now: it is a third of what this package costs to load, and
 * clients and compute threads serve nothing.
 *
 * @throws RpcError UNAVAILABLE (reason ADDRESS_IN_USE) that names the address when the port is taken.
 */
export function startServer(options: ServerOptions): Promise<RunningServer> {
  const { serve } = load('./serve') as typeof Serve;
  return serve(options);
}
