/**
 * A port for KerasTuner's workers: `keras_tuner.Oracle` of one study, or of the study that the name of the host tells which they dial.
 *
 * It has a socket server of its own, because it must know when a worker's connection ends.
 */
import net from 'node:net';
import { Server, ServerCredentials, type handleUnaryCall, type ServerUnaryCall } from '@grpc/grpc-js';
import { kerasTunerService } from '@lockstep/contract';
import { isHeld, isStudyId } from '@lockstep/search';
import { DEFAULT_MAX_MESSAGE_BYTES, RpcError, serviceDefinition, type Logger } from '@lockstep/rpc';
import { logOutage } from '../log-outage';
import { mapTunerError } from '../map-error';
import type { Tuner } from '../study/tuner';
import { HOLDER_PREFIX, Oracle, workerOf, type OracleCall } from './oracle';
import { Presence } from './presence';

export interface KerasServerOptions {
  /** host:port; port 0 lets the system choose. */
  readonly listen: string;
  /** studies/{study}; undefined: the study that the first label of the host name names. */
  readonly study: string | undefined;
  readonly tuner: Tuner;
  readonly nowMs: () => number;
  readonly logger: Logger;
}

/** How often those who live are said to: several times in the shortest lease. */
const HEAR_MS = 300;
/** A database that is away is waited for so long: an error would end the worker. */
const PATIENCE_MS = 5 * 60_000;
const RETRY_MS = 500;

type Handler = (request: object, call: OracleCall) => Promise<object>;

export class KerasServer {
  private hearing = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(private readonly parts: { readonly grpc: Server; readonly sockets: net.Server; readonly open: Set<net.Socket>; readonly presence: Presence; readonly options: KerasServerOptions; readonly leaving: AbortController }, readonly address: string) {
    this.timer = setInterval(() => {
      if (this.hearing) return;
      this.hearing = true;
      this.hear().catch((e: unknown) => logOutage(parts.options.logger, e, 'KerasTuner workers could not be taken note of; it is tried again')).finally(() => { this.hearing = false; });
    }, HEAR_MS);
  }

  /** @throws RpcError UNAVAILABLE (ADDRESS_IN_USE) that names the address when the port is taken */
  static async start(options: KerasServerOptions): Promise<KerasServer> {
    const { listen, nowMs, tuner, logger } = options;
    const presence = new Presence(nowMs);
    for (const name of await tuner.store.held()) {
      for (const { state } of (await tuner.get(name)).study.pending.values()) if (isHeld(state) && state.holder.startsWith(HOLDER_PREFIX)) presence.expected(workerOf(name, state.holder));
    }
    const leaving = new AbortController();
    const grpc = new Server({
      'grpc.max_receive_message_length': DEFAULT_MAX_MESSAGE_BYTES, 'grpc.max_send_message_length': DEFAULT_MAX_MESSAGE_BYTES,
      // A machine that is gone closes no connection: it is asked.
      'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000,
    });
    const oracle = new Oracle(tuner, presence, logger);
    grpc.addService(serviceDefinition(kerasTunerService.Oracle), handlersOf(oracle, presence, options, leaving.signal));
    const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    const open = new Set<net.Socket>();
    const sockets = net.createServer({ noDelay: true }, (socket) => {
      const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
      open.add(socket);
      presence.opened(peer);
      socket.on('error', () => undefined); // The close that follows says enough.
      socket.once('close', () => {
        open.delete(socket);
        presence.closed(peer);
      });
      injector.injectConnection(socket);
    });
    const at = listen.lastIndexOf(':');
    const port = await new Promise<number>((resolve, reject) => {
      sockets.once('error', (error: NodeJS.ErrnoException) => reject(new RpcError('UNAVAILABLE', `cannot listen on ${listen} for KerasTuner: ${error.code === 'EADDRINUSE' ? 'the port is taken' : error.message}`, { reason: 'ADDRESS_IN_USE', metadata: { address: listen } }, { cause: error })));
      sockets.listen({ host: listen.slice(0, at), port: Number(listen.slice(at + 1)) }, () => {
        const address = sockets.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    return new KerasServer({ grpc, sockets, open, presence, options, leaving }, `${listen.slice(0, at)}:${port}`);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    const { grpc, sockets, open, leaving } = this.parts;
    leaving.abort();
    grpc.forceShutdown();
    const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
    for (const socket of open) socket.destroy();
    await closed;
  }

  /** Says of those who are connected that they live. */
  private async hear(): Promise<void> {
    const { presence, options: { tuner } } = this.parts;
    for (const worker of presence.living()) {
      const study = worker.slice(0, worker.indexOf(' '));
      await tuner.heartbeat(study, worker.slice(study.length + 1)).catch((e: unknown) => {
        if (mapTunerError(e)?.code !== 'NOT_FOUND') throw e;
      });
    }
  }
}

function handlersOf(oracle: Oracle, presence: Presence, options: KerasServerOptions, leaving: AbortSignal): Record<string, handleUnaryCall<object, object>> {
  const handle = (method: string, handler: Handler): handleUnaryCall<object, object> => (call, callback) => {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    call.on('cancelled', abort);
    leaving.addEventListener('abort', abort, { once: true });
    presence.called(call.getPeer());
    answer(call, options, controller.signal, handler)
      .then((reply) => callback(null, reply), (e: unknown) => callback(toRpcError(e, method, options.logger).toStatus()))
      .finally(() => leaving.removeEventListener('abort', abort));
  };
  return {
    GetSpace: handle('GetSpace', (_, call) => oracle.getSpace(call)),
    UpdateSpace: handle('UpdateSpace', (request, call) => oracle.updateSpace(request as kerasTunerService.UpdateSpaceRequest, call)),
    CreateTrial: handle('CreateTrial', (request, call) => oracle.createTrial(request as kerasTunerService.CreateTrialRequest, call)),
    UpdateTrial: handle('UpdateTrial', (request, call) => oracle.updateTrial(request as kerasTunerService.UpdateTrialRequest, call)),
    EndTrial: handle('EndTrial', (request, call) => oracle.endTrial(request as kerasTunerService.EndTrialRequest, call)),
    GetBestTrials: handle('GetBestTrials', (request, call) => oracle.getBestTrials(request as kerasTunerService.GetBestTrialsRequest, call)),
    GetTrial: handle('GetTrial', (request, call) => oracle.getTrial(request as kerasTunerService.GetTrialRequest, call)),
  };
}

async function answer(call: ServerUnaryCall<object, object>, { study, nowMs }: KerasServerOptions, signal: AbortSignal, handler: Handler): Promise<object> {
  const context: OracleCall = { study: study ?? studyOfHost(call.getHost()), peer: call.getPeer(), signal };
  const deadlineMs = nowMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await handler(call.request, context);
    } catch (e) {
      const code = mapTunerError(e)?.code;
      if ((code !== 'UNAVAILABLE' && code !== 'RESOURCE_EXHAUSTED') || signal.aborted || nowMs() > deadlineMs) throw e;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** The study that a host name begins with: my-study.tuner.example:7500. */
function studyOfHost(host: string): string {
  const [label = ''] = host.split(/[.:]/, 1);
  if (isStudyId(label) && !/^\d+$/.test(label)) return `studies/${label}`;
  throw new RpcError('NOT_FOUND', `"${host}" names no study: dial my-study.your-host, where my-study is the study's id, or have the tuner serve one study on this port (--keras-tuner HOST:PORT=STUDY)`, { reason: 'NO_SUCH_STUDY' });
}

function toRpcError(caught: unknown, method: string, logger: Logger): RpcError {
  if (caught instanceof RpcError) return caught;
  const mapped = mapTunerError(caught);
  if (mapped && mapped.code !== 'INTERNAL') return mapped;
  logger.error({ method: `/keras_tuner.Oracle/${method}`, err: caught }, 'a call failed unexpectedly');
  return mapped ?? new RpcError('INTERNAL', `${method} failed unexpectedly: ${caught instanceof Error ? caught.message : String(caught)}`, { reason: 'INTERNAL' });
}
