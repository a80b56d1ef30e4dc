import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { FinishedCallSchema, Numerics, PositionSchema, type FinishedCall, type MemberCommand } from '@lockstep/contract';
import { isStanding, type JobFacts, type JobState, type ProgressPoint } from '@lockstep/membership';
import type { JobRecord } from './job-record';
import type { Checkpoint, FinishedCall as StoredCall } from './job-store';
import type { StragglerWatch } from './straggler-watch';

/** A member's open session. */
export interface MemberSession {
  readonly job: string;
  readonly worker: string;
  /** host:port of its exchange: tells its process from others of the same worker. */
  readonly address: string;
  send(command: MemberCommand['command'], generation: bigint): void;
  close(): void;
}

/** What a job goes on from when it starts again. */
export interface ResumePoint {
  /** artifacts/{artifact}/versions/{version} */
  readonly version: string;
  /** Calls that its state has finished: it was taken within the next one. */
  readonly calls: number;
}

/** A job that has not ended, with what only this process knows of it. */
export interface LiveJob {
  record: JobRecord;
  state: JobState;
  /** Up to where members' reports are stored. */
  committed: ProgressPoint | undefined;
  /** Up to where members were told so. */
  told: ProgressPoint | undefined;
  /** What a queued job was last said to wait for. */
  waitsFor: string;
  /** Resolves when the artifact service knows the job's generation. */
  fenced: Promise<void>;
  /** In order. */
  readonly calls: FinishedCall[];
  /** The newest one. */
  checkpoint: ResumePoint | undefined;
  readonly facts: JobFacts;
  readonly stragglers: StragglerWatch;
  /** Workers on which it lost members, as far as this process has seen. */
  readonly lostOn: Set<string>;
  readonly sessions: Map<string, MemberSession>;
}

/** Waits of a job; milliseconds. */
export interface JobTimeouts {
  readonly rendezvousTimeoutMs: number;
  readonly exportTimeoutMs: number;
  readonly prepareTimeoutMs: number;
  readonly absenceMs: number;
  readonly suspicionMs: number;
  readonly joinRetryMs: number;
}

/** A duration of a spec in milliseconds. */
export const durationMs = ({ seconds, nanos }: Duration): number => Number(seconds) * 1000 + nanos / 1e6;

/** @throws Error for a job without a spec, which was never accepted */
export function factsOf({ job }: JobRecord, timeouts: JobTimeouts): JobFacts {
  const { spec } = job;
  if (!spec) throw new Error(`${job.name} has no spec`);
  const maxRuntimeMs = spec.maxRuntime && durationMs(spec.maxRuntime);
  const stepTimeoutMs = spec.stepTimeout ? durationMs(spec.stepTimeout) : 0;
  return {
    job: job.name, replicas: spec.replicas, strictNumerics: spec.numerics !== Numerics.RELAXED, maxRestarts: spec.maxRestarts ?? 0,
    rendezvousTimeoutMs: timeouts.rendezvousTimeoutMs, regroupTimeoutMs: timeouts.rendezvousTimeoutMs + stepTimeoutMs, exportTimeoutMs: timeouts.exportTimeoutMs, prepareTimeoutMs: timeouts.prepareTimeoutMs,
    absenceMs: timeouts.absenceMs, suspicionMs: timeouts.suspicionMs, joinRetryMs: timeouts.joinRetryMs,
    ...(maxRuntimeMs !== undefined && { maxRuntimeMs }),
  };
}

/** What of a live job outlives the process besides what clients see. */
interface Machine {
  readonly state: JobState;
  readonly committed: ProgressPoint | null;
}

export const encodeMachine = (state: JobState, committed: ProgressPoint | undefined): Uint8Array =>
  Buffer.from(JSON.stringify({ state, committed: committed ?? null } satisfies Machine));

/** @returns undefined for a job that was never moved */
export function decodeMachine(machine: Uint8Array | undefined): { readonly state: JobState; readonly committed: ProgressPoint | undefined } | undefined {
  if (!machine) return undefined;
  const { state, committed } = JSON.parse(Buffer.from(machine).toString()) as Machine;
  return { state, committed: committed ?? undefined };
}

export const toResumePoint = ({ version, position }: Checkpoint): ResumePoint => ({ version, calls: fromBinary(PositionSchema, position).call });

export const toStoredCall = (call: FinishedCall): StoredCall => ({ number: call.number, record: toBinary(FinishedCallSchema, call) });

export const fromStoredCall = ({ record }: StoredCall): FinishedCall => fromBinary(FinishedCallSchema, record);

/**
 * A worker that neither this coordinator nor a peer reaches is gone, and nobody has to wait.
 *
 * @param sinceMs when the peer must have said so at the latest
 * @returns why, in words
 */
export function withoutPeers(state: JobState, worker: string, sinceMs: number): string | undefined {
  const suspicion = isStanding(state) ? state.suspicions.find((one) => one.accused === worker && one.sinceMs <= sinceMs) : undefined;
  const absence = isStanding(state) ? state.absences.find((one) => one.worker === worker) : undefined;
  return suspicion && absence ? `${absence.why}, and ${suspicion.accuser} cannot exchange with it: ${suspicion.why}` : undefined;
}
