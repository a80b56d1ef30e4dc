/** Writes the state beside the training, as services/worker/src/child/checkpoint-writer.ts: taken between two steps, sent while the next ones run. */
import { CheckpointSchedule } from '@lockstep/membership';
import type { SimProcess } from '../world/sim-process';
import type { UnaryService } from '../world/unary-service';
import type { EncodedState } from '../workload/training-state';
import type { Workload } from '../workload/workload';
import type { ArtifactAnswer, ArtifactRequest } from './artifact-service';
import type { CheckpointReport } from './messages';

/** How long taking the state takes. */
const TAKE_MS = 1;

export interface CheckpointWriterParts {
  readonly process: SimProcess;
  readonly job: string;
  readonly artifacts: UnaryService<ArtifactRequest, ArtifactAnswer>;
  readonly workload: Workload;
  /** A checkpoint is in the artifact service. */
  readonly written: (checkpoint: CheckpointReport) => void;
}

/** Where the training stands after a step. */
export interface Standpoint {
  readonly generation: number;
  /** Steps of the job that are applied. */
  readonly steps: number;
  /** Calls that have finished. */
  readonly calls: number;
  readonly state: () => EncodedState;
}

export class CheckpointWriter {
  private readonly schedule: CheckpointSchedule;
  private isDue = false;
  private writing = false;
  private idle: (() => void) | undefined;

  constructor(private readonly parts: CheckpointWriterParts) {
    const { process, workload: { checkpointEverySteps: everySteps, checkpointEveryMs: everyMs } } = parts;
    this.schedule = new CheckpointSchedule({ everySteps, everyMs }, process.nowMs());
  }

  /** A step was applied. All count, and the chief writes. @returns whether one is begun */
  stepDone(isChief: boolean, { generation, steps, calls, state: take }: Standpoint): boolean {
    const { process, job, artifacts, written } = this.parts;
    // What falls due while another is on its way waits for the next step after it.
    this.isDue = (this.schedule.stepDone(process.nowMs()) || this.isDue) && isChief;
    if (!this.isDue || this.writing) return false;
    this.isDue = false;
    this.writing = true;
    const state = take();
    process.after(TAKE_MS, () => artifacts.call(process, {
      kind: 'COMMIT', artifact: `${job}-checkpoints`, digest: state.digest, content: state.bytes, fence: { job, generation }, requestId: `${job} ${steps} ${state.digest}`,
    }, (outcome) => {
      this.writing = false;
      if (outcome.kind === 'ANSWERED' && outcome.answer.kind === 'VERSION') written({ version: outcome.answer.version, step: steps, calls, stateDigest: state.digest });
      const { idle } = this;
      this.idle = undefined;
      idle?.();
    }));
    return true;
  }

  /** Does something when none is on its way. */
  whenIdle(action: () => void): void {
    if (this.writing) this.idle = action;
    else action();
  }
}
