/** Which process may speak for a worker: another one of the same worker must stop, however late it is heard of. */
import { isStanding, type JobState } from './job-state';

/** What a process says of itself when it opens a session. */
export interface Hello {
  readonly worker: string;
  /** host:port of its exchange: tells it from other processes of the worker that have joined. */
  readonly address: string;
  /** Name that the coordinator gave it. */
  readonly child: string;
  /** Whether it had a session before. */
  readonly rejoins: boolean;
}

/** What is known besides the job's state. */
export interface KnownProcess {
  /** Name of the process that the worker's agent runs; undefined when that is not known. */
  readonly running: string | undefined;
  /** Whether the worker has an open session. */
  readonly hasSession: boolean;
}

/** @returns why it must stop, in words; undefined when it may join */
export function refusalOf(job: string, state: JobState, { worker, address, child, rejoins }: Hello, known: KnownProcess): string | undefined {
  if (known.running !== undefined && known.running !== child) {
    return `${worker} takes part in ${job} by another process (${known.running}): this one (${child}) must stop`;
  }
  const at = addressOf(state, worker);
  if (at !== undefined && at !== address) return `${worker} takes part in ${job} by another process (at ${at}): this one (at ${address}) must stop`;
  if (known.hasSession && !rejoins) return `${worker} has joined ${job} already: this process must stop`;
  return undefined;
}

/** Where the process listens that takes part for a worker; undefined when none has reported. */
export function addressOf(state: JobState, worker: string): string | undefined {
  if (state.kind === 'STARTING') return state.joined.find((one) => one.worker === worker)?.address;
  if (!isStanding(state)) return undefined;
  const phase = state.joiners.find((joiner) => joiner.worker === worker)?.phase;
  return [...state.members, ...state.released].find((member) => member.worker === worker)?.address ?? (phase && phase.kind !== 'STARTING' ? phase.address : undefined);
}
