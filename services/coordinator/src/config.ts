import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogLevel } from '@lockstep/rpc';

/** How a coordinator is set up: flags over LOCKSTEP_COORDINATOR_* over defaults. */
export interface CoordinatorConfig {
  /** host:port to listen on; port 0: any. */
  readonly listen: string;
  readonly dataFolder: string;
  /** postgres://...; absent: SQLite in the data folder. */
  readonly database?: string;
  /** How long a leader may be silent before another coordinator on the same database takes over. */
  readonly leaderLeaseMs: number;
  /** host:port of the artifact service. */
  readonly artifact: string;
  /** A worker that is silent for longer is lost. */
  readonly leaseMs: number;
  readonly rendezvousTimeoutMs: number;
  readonly exportTimeoutMs: number;
  readonly prepareTimeoutMs: number;
  /** How long a job is kept after its end; 0: for ever. */
  readonly jobRetentionMs: number;
  readonly logLevel: LogLevel;
}

export const USAGE = `usage: coordinator --artifact HOST:PORT [flags]

  --artifact            where the artifact service listens (LOCKSTEP_COORDINATOR_ARTIFACT)
  --listen              host:port to listen on; default 127.0.0.1:7070 (LOCKSTEP_COORDINATOR_LISTEN)
  --database            postgres://USER:PASSWORD@HOST:PORT/DATABASE; default: SQLite in the data folder. Several coordinators on
                        one database stand by for one another (LOCKSTEP_COORDINATOR_DATABASE)
  --leader-lease-ms     silence after which another coordinator takes over; default 3000 (LOCKSTEP_COORDINATOR_LEADER_LEASE_MS)
  --data                data folder; default ./coordinator-data (LOCKSTEP_COORDINATOR_DATA)
  --lease-ms            silence after which a worker is lost; default 3000 (LOCKSTEP_COORDINATOR_LEASE_MS)
  --rendezvous-timeout-ms  from the start of the children until all are connected; default 60000 (LOCKSTEP_COORDINATOR_RENDEZVOUS_TIMEOUT_MS)
  --export-timeout-ms   how long the chief may take to commit; default 600000 (LOCKSTEP_COORDINATOR_EXPORT_TIMEOUT_MS)
  --prepare-timeout-ms  how long a worker that joins a running job may take to run its module so far; default 600000 (LOCKSTEP_COORDINATOR_PREPARE_TIMEOUT_MS)
  --job-retention-days  how long a job that has ended is listed, with its events; what it made stays; 0: for ever; default 90 (LOCKSTEP_COORDINATOR_JOB_RETENTION_DAYS)
  --log-level           ${LOG_LEVELS.join(', ')}; default info (LOCKSTEP_COORDINATOR_LOG_LEVEL)`;

/** Heartbeats come six times a lease, and are looked for four times a second. */
const MIN_LEASE_MS = 1000;
const DAY_MS = 86_400_000;

const text = { type: 'string' } as const;
const OPTIONS = { artifact: text, listen: text, data: text, database: text, 'leader-lease-ms': text, 'lease-ms': text, 'rendezvous-timeout-ms': text, 'export-timeout-ms': text, 'prepare-timeout-ms': text, 'job-retention-days': text, 'log-level': text } as const;

/** @throws Error with one sentence (and the usage where that helps) for an unknown flag or a bad value */
export function readConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): CoordinatorConfig {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS });
  const value = (flag: keyof typeof OPTIONS): string | undefined => values[flag] ?? env[`LOCKSTEP_COORDINATOR_${flag.toUpperCase().replaceAll('-', '_')}`];
  const milliseconds = (flag: 'lease-ms' | 'leader-lease-ms' | 'rendezvous-timeout-ms' | 'export-timeout-ms' | 'prepare-timeout-ms', fallback: number, least = 1): number => {
    const given = value(flag);
    if (given === undefined) return fallback;
    if (!/^[1-9]\d{0,9}$/.test(given)) throw new Error(`--${flag} "${given}" is not a number of milliseconds`);
    if (Number(given) < least) throw new Error(`--${flag} "${given}" is too short: at least ${least}`);
    return Number(given);
  };
  const days = value('job-retention-days') ?? '90';
  if (!/^\d{1,5}$/.test(days)) throw new Error(`--job-retention-days "${days}" is not a number of days`);
  const artifact = value('artifact');
  if (artifact === undefined) throw new Error(`--artifact is required\n${USAGE}`);
  const level = value('log-level') ?? 'info';
  const logLevel = LOG_LEVELS.find((l) => l === level);
  if (!logLevel) throw new Error(`--log-level "${level}" is none of ${LOG_LEVELS.join(', ')}`);
  const database = value('database');
  return {
    ...(database !== undefined && { database }),
    leaderLeaseMs: milliseconds('leader-lease-ms', 3000),
    artifact, logLevel, jobRetentionMs: Number(days) * DAY_MS, listen: value('listen') ?? '127.0.0.1:7070', dataFolder: resolve(value('data') ?? 'coordinator-data'),
    leaseMs: milliseconds('lease-ms', 3000, MIN_LEASE_MS), rendezvousTimeoutMs: milliseconds('rendezvous-timeout-ms', 60_000), exportTimeoutMs: milliseconds('export-timeout-ms', 600_000), prepareTimeoutMs: milliseconds('prepare-timeout-ms', 600_000),
  };
}
