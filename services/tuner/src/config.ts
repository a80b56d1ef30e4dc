import { resolve } from 'node:path';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogLevel } from '@lockstep/rpc';
import { isStudyId } from '@lockstep/search';

/** A port on which KerasTuner's workers are served. */
export interface KerasListener {
  /** host:port; port 0: any. */
  readonly listen: string;
  /** studies/{study}; undefined: the one that the first label of the host that they dial names. */
  readonly study: string | undefined;
}

/** How a tuner is set up: flags over LOCKSTEP_TUNER_* over defaults. */
export interface TunerConfig {
  /** host:port to listen on; port 0: any. */
  readonly listen: string;
  readonly dataFolder: string;
  /** postgres://...; absent: SQLite in the data folder. */
  readonly database?: string;
  /** How long a serving tuner may be silent before another one on the same database takes over. */
  readonly leaderLeaseMs: number;
  /** Threads that make suggestions. */
  readonly suggestionThreads: number;
  readonly kerasTuner: readonly KerasListener[];
  /** host:port of the coordinator, or several with commas; absent: studies are evaluated by clients alone. */
  readonly coordinator?: string;
  /** host:port of the artifact service, where results of studies are committed. */
  readonly artifact?: string;
  readonly logLevel: LogLevel;
}

const text = { type: 'string' } as const;
const OPTIONS = { 'listen': text, 'data': text, 'database': text, 'leader-lease-ms': text, 'suggestion-threads': text, 'keras-tuner': { type: 'string', multiple: true }, 'coordinator': text, 'artifact': text, 'log-level': text, 'help': { type: 'boolean' } } as const;

export const USAGE = `usage: tuner [flags]

  --listen              host:port to listen on; default 127.0.0.1:7403 (LOCKSTEP_TUNER_LISTEN)
  --data                data folder; default ./tuner-data (LOCKSTEP_TUNER_DATA)
  --database            postgres://USER:PASSWORD@HOST:PORT/DATABASE; default: SQLite in the data folder. Several tuners on
                        one database stand by for one another (LOCKSTEP_TUNER_DATABASE)
  --leader-lease-ms     silence after which another tuner takes over; default 3000 (LOCKSTEP_TUNER_LEADER_LEASE_MS)
  --suggestion-threads  threads that make suggestions; default: 1 for each 2 cores, at most 4 (LOCKSTEP_TUNER_SUGGESTION_THREADS)
  --keras-tuner         HOST:PORT=STUDY serves one study to KerasTuner's workers; HOST:PORT alone serves each study under the host name
                        that begins with its id, like my-study.tuner.example. May be repeated (LOCKSTEP_TUNER_KERAS_TUNER, with commas)
  --coordinator         HOST:PORT of the coordinator that runs trials as jobs; default: none, and clients evaluate (LOCKSTEP_TUNER_COORDINATOR)
  --artifact            HOST:PORT of the artifact service, for the results of such studies; default: they are not committed (LOCKSTEP_TUNER_ARTIFACT)
  --log-level           ${LOG_LEVELS.join(', ')}; default info (LOCKSTEP_TUNER_LOG_LEVEL)`;

const MIN_LEASE_MS = 1000;
const MAX_THREADS = 64;
const ADDRESS = /^[^=\s]+:\d{1,5}$/;

/** Configuration, or the text that answers --help. */
export type ConfigResult = { readonly kind: 'CONFIG'; readonly config: TunerConfig } | { readonly kind: 'HELP'; readonly text: string };

/** @throws Error with one sentence for an unknown flag or a bad value */
export function readConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS });
  if (values.help === true) return { kind: 'HELP', text: `${USAGE}\n` };
  const fromEnvironment = (flag: keyof typeof OPTIONS): string | undefined => env[`LOCKSTEP_TUNER_${flag.toUpperCase().replaceAll('-', '_')}`];
  const value = (flag: Exclude<keyof typeof OPTIONS, 'keras-tuner' | 'help'>): string | undefined => values[flag] ?? fromEnvironment(flag);
  const integer = (flag: 'leader-lease-ms' | 'suggestion-threads', fallback: number, least: number, most: number): number => {
    const given = value(flag);
    if (given === undefined) return fallback;
    if (!/^\d{1,10}$/.test(given) || Number(given) < least || Number(given) > most) throw new Error(`--${flag} "${given}" is not a whole number from ${least} to ${most}`);
    return Number(given);
  };
  const address = (flag: string, given: string): string => {
    if (!ADDRESS.test(given) || Number(given.slice(given.lastIndexOf(':') + 1)) > 65_535) throw new Error(`--${flag} "${given}" is not HOST:PORT`);
    return given;
  };
  const level = value('log-level') ?? 'info';
  const logLevel = LOG_LEVELS.find((l) => l === level);
  if (!logLevel) throw new Error(`--log-level "${level}" is none of ${LOG_LEVELS.join(', ')}`);
  const database = value('database');
  const coordinator = value('coordinator');
  const artifact = value('artifact');
  const kerasTuner = (values['keras-tuner'] ?? fromEnvironment('keras-tuner')?.split(',') ?? []).map((given): KerasListener => {
    const [listen = '', study, ...rest] = given.trim().split('=');
    if (study !== undefined && (!isStudyId(study) || rest.length > 0)) throw new Error(`--keras-tuner "${given}" is not HOST:PORT=STUDY: the study's id has lower-case letters, digits and "-"`);
    return { listen: address('keras-tuner', listen), study: study === undefined ? undefined : `studies/${study}` };
  });
  return {
    kind: 'CONFIG',
    config: {
      ...(database !== undefined && { database }), ...(coordinator !== undefined && { coordinator }), ...(artifact !== undefined && { artifact }), kerasTuner, logLevel,
      listen: address('listen', value('listen') ?? '127.0.0.1:7403'), dataFolder: resolve(value('data') ?? 'tuner-data'),
      leaderLeaseMs: integer('leader-lease-ms', 3000, MIN_LEASE_MS, 3_600_000),
      suggestionThreads: integer('suggestion-threads', Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2))), 1, MAX_THREADS),
    },
  };
}
