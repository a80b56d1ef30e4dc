import { create } from '@bufbuild/protobuf';
import { Fault, JobErrorSchema, type JobError } from '@lockstep/contract';
import { ExamplesError } from '@lockstep/examples';
import { GraphError } from '@lockstep/graph';
import { CollectiveError } from '@lockstep/reduction';
import { RpcError } from '@lockstep/rpc';
import { ShardingError } from '@lockstep/sharding';
import { StateError, TrainingError } from '@lockstep/training';
import { ModuleError } from './module-loader';
import { toPosition } from './progress-reporter';

/** Who failed, for the error that the coordinator shows. */
export interface FailedMember {
  readonly worker: string;
  readonly rank: number;
}

/** The module ended, but left no model. TFX's words. */
export class NoModelError extends Error {
  override readonly name = 'NoModelError';
}

/** What ended a child, as the coordinator's clients see it: a reason, whose fault it is, and where. */
export function toJobError(caught: unknown, member: FailedMember): JobError {
  const error = caught instanceof Error ? caught : new Error(String(caught));
  const base = create(JobErrorSchema, { ...member, message: error.message, fault: Fault.MODULE, reason: 'MODULE_THREW' });
  // An error of ours may have been wrapped by the module; its cause says more than the wrapper.
  const known = knownCause(error);
  if (known instanceof TrainingError) {
    return { ...base, reason: known.reason, message: known.message, ...(known.details.position && { position: toPosition(known.details.position) }), stack: known.cause instanceof Error ? known.cause.stack ?? '' : '' };
  }
  if (known instanceof CollectiveError) {
    const fault = known.reason === 'CALL_MISMATCH' ? Fault.MODULE : Fault.WORKER;
    return { ...base, reason: known.reason, message: known.message, fault, ...(known.details.position && { position: toPosition(known.details.position) }) };
  }
  if (known instanceof ExamplesError) return { ...base, reason: known.reason, message: known.message, fault: Fault.DATA };
  if (known instanceof ShardingError) return { ...base, reason: known.reason, message: known.message, fault: known.reason === 'BAD_ARGUMENT' ? Fault.MODULE : Fault.DATA };
  if (known instanceof GraphError) return { ...base, reason: known.reason, message: known.message };
  if (known instanceof StateError) return { ...base, reason: known.reason, message: known.message };
  if (known instanceof ModuleError) return { ...base, reason: known.reason, message: known.message, stack: known.cause instanceof Error ? known.cause.stack ?? '' : '' };
  if (known instanceof NoModelError) return { ...base, reason: 'NO_MODEL', message: known.message };
  if (known instanceof CheckpointError) return { ...base, reason: 'CHECKPOINT_LOST', message: known.message, fault: Fault.CLUSTER };
  if (known instanceof RpcError) return { ...base, reason: known.details.reason ?? known.code, message: known.message, fault: Fault.CLUSTER };
  return { ...base, message: `the module threw: ${error.message}`, stack: error.stack ?? '' };
}

/** The checkpoint that the job was to go on from cannot be read. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

const KNOWN = [TrainingError, CollectiveError, ExamplesError, ShardingError, GraphError, StateError, ModuleError, NoModelError, CheckpointError, RpcError] as const;

function knownCause(error: Error): Error | undefined {
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    const candidate = e;
    if (KNOWN.some((type) => candidate instanceof type)) return candidate;
  }
  return undefined;
}
