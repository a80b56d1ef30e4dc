/**
 * Writes the state as a version when it is due: taken between two steps, put while the next ones run.
 *
 * 1. At most one is on its way; what falls due meanwhile waits for the next step after it.
 * 2. A version is there whole or not at all, and none of an older generation is taken any more.
 */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { CheckpointWrittenSchema, type CheckpointPolicy, type CheckpointWritten } from '@lockstep/contract';
import { fileOfBytes, type ArtifactClient } from '@lockstep/client';
import type { Position } from '@lockstep/reduction';
import type { TrainingState } from '@lockstep/training';
import { encodeJobState } from './job-state-file';
import { toPosition } from './progress-reporter';

export const CHECKPOINT_FILE = 'state.bin';
export const CHECKPOINT_TYPE = 'Checkpoint';

/** Artifact of a job's checkpoints. */
export const checkpointArtifact = (job: string): string => `artifacts/${job.replace('/', '-')}-checkpoints`;

export interface CheckpointParts {
  readonly job: string;
  readonly artifacts: Pick<ArtifactClient, 'putFiles'>;
  readonly policy: CheckpointPolicy | undefined;
  readonly nowMs: () => number;
  /** The generation that this member is in. */
  readonly generation: () => number;
  readonly state: () => TrainingState;
  readonly onWritten: (checkpoint: CheckpointWritten) => void;
  readonly onFailed: (error: unknown) => void;
}

export class CheckpointWriter {
  private stepsSince = 0;
  private lastMs: number;
  private writing: Promise<void> | undefined;

  constructor(private readonly parts: CheckpointParts) {
    this.lastMs = parts.nowMs();
  }

  /** A step was applied. @param writes whether this member is the one that writes */
  stepDone(position: Position, steps: number, writes: boolean): void {
    this.stepsSince++;
    if (!this.isDue()) return;
    const { parts } = this;
    // The others keep the same count, so that whoever writes next goes on with it.
    this.stepsSince = 0;
    this.lastMs = parts.nowMs();
    if (!writes || this.writing) return;
    const state = parts.state();
    this.writing = this.write(state, position, steps).catch(parts.onFailed).finally(() => { this.writing = undefined; });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private isDue(): boolean {
    const { policy } = this.parts;
    if (!policy) return false;
    if (policy.everySteps > 0 && this.stepsSince >= policy.everySteps) return true;
    const intervalMs = policy.interval ? Number(policy.interval.seconds) * 1000 + policy.interval.nanos / 1e6 : 0;
    return intervalMs > 0 && this.parts.nowMs() - this.lastMs >= intervalMs;
  }

  private async write(state: TrainingState, position: Position, steps: number): Promise<void> {
    const { job, artifacts, generation, onWritten } = this.parts;
    const { bytes, digest } = encodeJobState({ steps, state });
    const number = generation();
    const { version } = await artifacts.putFiles([fileOfBytes(CHECKPOINT_FILE, bytes)], {
      artifact: checkpointArtifact(job), type: CHECKPOINT_TYPE, fence: { job, generation: number },
      requestId: createHash('sha256').update(`${job} ${steps} ${digest}`).digest('hex'),
    });
    onWritten(create(CheckpointWrittenSchema, { version: version.name, stateDigest: state.digest, steps: BigInt(steps), position: toPosition(position) }));
  }
}
