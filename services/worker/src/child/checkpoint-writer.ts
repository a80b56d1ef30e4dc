/**
 * Writes the state as a version when it is due: taken between two steps, put while the next ones run.
 *
 * 1. At most one is on its way; what falls due meanwhile waits for the next step after it.
 * 2. A version is there whole or not at all, and none of an older generation is taken any more.
 */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { CheckpointWrittenSchema, type CheckpointPolicy, type CheckpointWritten } from '@lockstep/contract';
import { checkpointArtifact, fileOfBytes, type ArtifactClient } from '@lockstep/client';
import { CheckpointSchedule } from '@lockstep/membership';
import type { Position } from '@lockstep/reduction';
import type { TrainingState } from '@lockstep/training';
import { encodeJobState } from './job-state-file';
import { toPosition } from './progress-reporter';

export const CHECKPOINT_FILE = 'state.bin';
export const CHECKPOINT_TYPE = 'Checkpoint';

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
  private readonly schedule: CheckpointSchedule;
  private isDue = false;
  private writing: Promise<void> | undefined;

  constructor(private readonly parts: CheckpointParts) {
    const { everySteps = 0, interval } = parts.policy ?? {};
    this.schedule = new CheckpointSchedule({ everySteps, everyMs: interval ? Number(interval.seconds) * 1000 + interval.nanos / 1e6 : 0 }, parts.nowMs());
  }

  /** A step was applied. @param writes whether this member is the one that writes */
  stepDone(position: Position, steps: number, writes: boolean): void {
    const { parts } = this;
    // The others keep the same count, so that whoever writes next goes on with it.
    this.isDue = this.schedule.stepDone(parts.nowMs()) || this.isDue;
    if (!writes) this.isDue = false;
    if (!this.isDue || this.writing) return;
    this.isDue = false;
    this.writing = this.write(parts.state(), position, steps).catch(parts.onFailed).finally(() => { this.writing = undefined; });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.writing;
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
