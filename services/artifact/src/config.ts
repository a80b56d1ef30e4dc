import { LOG_LEVELS, type LogLevel } from '@lockstep/rpc';
import os from 'node:os';
import path from 'node:path';
import { resolveSettings, type Setting } from './settings';

/** What the service is told when it starts. */
export interface ArtifactConfig {
  /** host:port; port 0 lets the system choose. */
  readonly listen: string;
  /** Data folder. */
  readonly data: string;
  readonly logLevel: LogLevel;
}

const DEFAULT_PORT = 7402;

const SETTINGS: readonly Setting[] = [
  { key: 'listen', value: 'HOST:PORT', help: 'address to listen on; port 0 lets the system choose', fault: (v) => (/^.+:\d{1,5}$/.test(v) && Number(v.slice(v.lastIndexOf(':') + 1)) <= 65535 ? undefined : 'is not HOST:PORT') },
  { key: 'data', value: 'FOLDER', help: 'folder that holds the versions; made if need be', fault: (v) => (v === '' ? 'is empty' : undefined) },
  { key: 'log-level', value: 'LEVEL', help: LOG_LEVELS.join(', '), fault: (v) => (isLogLevel(v) ? undefined : `is not one of ${LOG_LEVELS.join(', ')}`) },
];

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
  const defaults = { 'listen': `127.0.0.1:${DEFAULT_PORT}`, 'data': path.join(dataHome, 'lockstep', 'artifact'), 'log-level': 'info' };
  const result = resolveSettings({ program: 'lockstep-artifact', environmentPrefix: 'LOCKSTEP_ARTIFACT_', settings: SETTINGS, defaults }, args, environment);
  if (result.kind === 'HELP') return result;
  const of = (key: string): string => result.values.get(key) ?? '';
  const level = of('log-level');
  return { kind: 'CONFIG', config: { listen: of('listen'), data: path.resolve(of('data')), logLevel: isLogLevel(level) ? level : 'info' } };
}
