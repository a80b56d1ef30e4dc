import type { MessagePort } from 'node:worker_threads';
import type { ExchangeConstants } from '@lockstep/reduction';
import { MAX_ARENA_BYTES } from './arena/arena';
import { GRPC_PREFIX_BYTES, HEADER_BYTES, MAX_PAYLOAD_BYTES } from './wire/chunk-header';

/** How to exchange. Everything has a default. */
export interface ExchangeOptions {
  /** Interface to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Port to listen on; default 0: the system chooses. */
  readonly port?: number;
  /** Host that peers dial; default: host. Needed where host is a wildcard. */
  readonly advertisedHost?: string;
  /** Token of the job, where it is known before the assignment: strangers are refused sooner. */
  readonly token?: Uint8Array;
  /** Longest wait for peers within an operation; default 60 s. In the first one of a generation, where peers may still connect to one another, as long as that may take. */
  readonly timeoutMs?: number;
  /** Longest wait for all peers to connect; default 60 s. */
  readonly connectTimeoutMs?: number;
  /** Largest bucket that goes to everybody (one network trip); default 64 KiB. The same on all members. */
  readonly oneShotBytes?: number;
  /** Largest payload of a message; default 1 MiB. The same on all members. */
  readonly chunkBytes?: number;
  /** Flow-control window of a pull; default 16 MiB. */
  readonly windowBytes?: number;
  /** What a peer that is ahead may send before it has to wait, per peer; default 64 MiB. */
  readonly earlyBytes?: number;
  /** Largest shared memory; default and most: 4 GiB. Only what rounds need is touched. */
  readonly arenaBytes?: number;
  /** Compiled file that the exchange thread runs; default: runExchangeThread and nothing else. */
  readonly threadFile?: string;
  /** What such a file of one's own finds as `extra` in its worker data. */
  readonly threadExtra?: unknown;
  /** What of `threadExtra` is moved to the thread: message ports. */
  readonly threadTransfer?: readonly MessagePort[];
}

/** Options with every default filled in, in the form that crosses to the thread. */
export interface ResolvedOptions {
  readonly host: string;
  readonly port: number;
  readonly advertisedHost: string;
  readonly token: Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly windowBytes: number;
  readonly earlyBytes: number;
  readonly arenaBytes: number;
  readonly constants: ExchangeConstants;
}

const WILDCARDS = ['0.0.0.0', '::'];

/** @throws RangeError that names all faulty options */
export function resolveOptions(options: ExchangeOptions): ResolvedOptions {
  const {
    host = '127.0.0.1', port = 0, advertisedHost = host, token, timeoutMs = 60_000, connectTimeoutMs = 60_000,
    oneShotBytes = 64 * 1024, chunkBytes = 1024 * 1024, windowBytes = 16 * 1024 * 1024, earlyBytes = 64 * 1024 * 1024, arenaBytes = MAX_ARENA_BYTES,
  } = options;
  const faults: string[] = [];
  const check = (name: string, value: number, min: number, max: number): void => {
    if (!Number.isInteger(value) || value < min || value > max) faults.push(`${name} is ${value}, not an integer from ${min} to ${max}`);
  };
  check('port', port, 0, 65_535);
  check('timeoutMs', timeoutMs, 1, 2 ** 31 - 1);
  check('connectTimeoutMs', connectTimeoutMs, 1, 2 ** 31 - 1);
  check('chunkBytes', chunkBytes, 64, MAX_PAYLOAD_BYTES);
  check('oneShotBytes', oneShotBytes, 0, chunkBytes);
  check('windowBytes', windowBytes, 65_535, 2 ** 31 - 1);
  check('earlyBytes', earlyBytes, chunkBytes, Number.MAX_SAFE_INTEGER);
  check('arenaBytes', arenaBytes, 65_536, MAX_ARENA_BYTES);
  if (chunkBytes % 64 !== 0) faults.push(`chunkBytes is ${chunkBytes}, not a multiple of 64: chunks would not be aligned`);
  if (WILDCARDS.includes(advertisedHost)) faults.push(`advertisedHost is ${advertisedHost}, which no peer can dial: name this machine as peers reach it`);
  if (faults.length > 0) throw new RangeError(`exchange options: ${faults.join('; ')}`);
  return {
    host, port, advertisedHost, token, timeoutMs, connectTimeoutMs, windowBytes, earlyBytes, arenaBytes,
    constants: { oneShotBytes, chunkBytes, headerBytes: GRPC_PREFIX_BYTES + HEADER_BYTES },
  };
}
