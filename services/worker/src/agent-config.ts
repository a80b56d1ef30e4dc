import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogLevel } from '@lockstep/rpc';

/** How an agent is set up: flags over LOCKSTEP_WORKER_* over defaults. */
export interface AgentConfig {
  /** Resource name, workers/{worker}. */
  readonly worker: string;
  readonly coordinator: string;
  /** Host under which peers reach the exchange of this worker's children. */
  readonly host: string;
  readonly dataFolder: string;
  /** How long a job that runs here may take to go on without this worker when it is told to end. */
  readonly leaveTimeoutMs: number;
  readonly logLevel: LogLevel;
}

export const AGENT_USAGE = `usage: worker --coordinator HOST:PORT [--name NAME] [--host HOST] [--data FOLDER] [--leave-timeout-ms MS] [--log-level LEVEL]

  --coordinator  where the coordinator listens (LOCKSTEP_WORKER_COORDINATOR)
  --name         name of this worker; default: host name and process id (LOCKSTEP_WORKER_NAME)
  --host         address under which other workers reach this one; default 127.0.0.1 (LOCKSTEP_WORKER_HOST)
  --data         folder for downloads and scratch files; default ./worker-data (LOCKSTEP_WORKER_DATA)
  --leave-timeout-ms  after SIGTERM, how long the job that runs here may take to come to the end of its step and to go on without
                 this worker; a longer step is done again by the others; default 20000 (LOCKSTEP_WORKER_LEAVE_TIMEOUT_MS)
  --log-level    ${LOG_LEVELS.join(', ')}; default info (LOCKSTEP_WORKER_LOG_LEVEL)`;

/** @throws Error with one sentence and the usage when a flag is unknown or a value is missing. */
export function readAgentConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): AgentConfig {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { coordinator: text, name: text, host: text, data: text, 'leave-timeout-ms': text, 'log-level': text } });
  const coordinator = values.coordinator ?? env['LOCKSTEP_WORKER_COORDINATOR'];
  if (coordinator === undefined) throw new Error(`--coordinator is required\n${AGENT_USAGE}`);
  const name = values.name ?? env['LOCKSTEP_WORKER_NAME'] ?? `${hostname()}-${process.pid}`.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw new Error(`--name "${name}" must be lower-case letters, digits and dashes`);
  const level = values['log-level'] ?? env['LOCKSTEP_WORKER_LOG_LEVEL'] ?? 'info';
  const logLevel = LOG_LEVELS.find((l) => l === level);
  if (!logLevel) throw new Error(`--log-level "${level}" is none of ${LOG_LEVELS.join(', ')}`);
  const leave = values['leave-timeout-ms'] ?? env['LOCKSTEP_WORKER_LEAVE_TIMEOUT_MS'] ?? '20000';
  if (!/^\d{1,9}$/.test(leave)) throw new Error(`--leave-timeout-ms "${leave}" is not a number of milliseconds`);
  return {
    worker: `workers/${name}`, coordinator, logLevel, leaveTimeoutMs: Number(leave),
    host: values.host ?? env['LOCKSTEP_WORKER_HOST'] ?? '127.0.0.1',
    dataFolder: resolve(values.data ?? env['LOCKSTEP_WORKER_DATA'] ?? 'worker-data'),
  };
}
