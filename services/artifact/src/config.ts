import { LOG_LEVELS, type LogLevel } from '@lockstep/rpc';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_GC, DEFAULT_LIMITS } from './artifact-service';
import { formatDuration, parseDuration } from './duration';
import { resolveSettings, type Setting } from './settings';

/** What the service is told when it starts. */
export interface ArtifactConfig {
  /** host:port; port 0 lets the system choose. */
  readonly listen: string;
  /** Data folder. */
  readonly data: string;
  /** How long a blob that no version has stays before it is removed. */
  readonly gcGraceMs: number;
  /** From one garbage collection to the next; 0: only when it is asked for. */
  readonly gcIntervalMs: number;
  readonly logLevel: LogLevel;
}

const DEFAULT_PORT = 7402;

const SETTINGS: readonly Setting[] = [
  { key: 'listen', value: 'HOST:PORT', help: 'address to listen on; port 0 lets the system choose', fault: (v) => (/^.+:\d{1,5}$/.test(v) && Number(v.slice(v.lastIndexOf(':') + 1)) <= 65535 ? undefined : 'is not HOST:PORT') },
  { key: 'data', value: 'FOLDER', help: 'folder that holds the versions; made if need be', fault: (v) => (v === '' ? 'is empty' : undefined) },
  { key: 'gc-grace', value: 'DURATION', help: 'how long bytes that no version has stay before they are removed: 90m, 24h, 7d', fault: graceFault },
  { key: 'gc-interval', value: 'DURATION', help: 'from one garbage collection to the next: 90s, 10m, 1h; 0: only when it is asked for', fault: intervalFault },
  { key: 'log-level', value: 'LEVEL', help: LOG_LEVELS.join(', '), fault: (v) => (isLogLevel(v) ? undefined : `is not one of ${LOG_LEVELS.join(', ')}`) },
];

/** Timers of Node run at most 2^31 - 1 ms. */
const MAX_INTERVAL_MS = 24 * 86_400_000;

function graceFault(text: string): string | undefined {
  const graceMs = parseDuration(text);
  if (graceMs === undefined) return 'is not a duration like 90m, 24h or 7d';
  return graceMs < DEFAULT_LIMITS.uploadLeaseMs ? `is shorter than an upload may be suspended, ${formatDuration(DEFAULT_LIMITS.uploadLeaseMs)}: what it has sent would have to be sent again` : undefined;
}

function intervalFault(text: string): string | undefined {
  const intervalMs = parseDuration(text);
  if (intervalMs === undefined) return 'is not a duration like 90s, 10m or 1h, nor 0';
  return intervalMs > MAX_INTERVAL_MS ? `is longer than ${formatDuration(MAX_INTERVAL_MS)}` : undefined;
}

const isLogLevel = (text: string): text is LogLevel => (LOG_LEVELS as readonly string[]).includes(text);

/** Configuration, or the text that answers --help. */
export type ConfigResult = { readonly kind: 'CONFIG'; readonly config: ArtifactConfig } | { readonly kind: 'HELP'; readonly text: string };

/**
 * Defaults, then LOCKSTEP_ARTIFACT_* of the environment, then flags.
 *
 * @throws SettingsError that names every fault at once
 */
export function resolveConfig(args: readonly string[], environment: NodeJS.ProcessEnv): ConfigResult {
  const dataHome = environment['XDG_DATA_HOME'] ?? path.join(os.homedir(), '.local', 'share');
  const defaults = {
    'listen': `127.0.0.1:${DEFAULT_PORT}`, 'data': path.join(dataHome, 'lockstep', 'artifact'), 'gc-grace': formatDuration(DEFAULT_GC.graceMs), 'gc-interval': formatDuration(DEFAULT_GC.intervalMs), 'log-level': 'info',
  };
  const result = resolveSettings({ program: 'lockstep-artifact', environmentPrefix: 'LOCKSTEP_ARTIFACT_', settings: SETTINGS, defaults }, args, environment);
  if (result.kind === 'HELP') return result;
  const of = (key: string): string => result.values.get(key) ?? '';
  const level = of('log-level');
  const config = {
    listen: of('listen'), data: path.resolve(of('data')), logLevel: isLogLevel(level) ? level : 'info',
    gcGraceMs: parseDuration(of('gc-grace')) ?? DEFAULT_GC.graceMs, gcIntervalMs: parseDuration(of('gc-interval')) ?? DEFAULT_GC.intervalMs,
  } as const;
  return { kind: 'CONFIG', config };
}
