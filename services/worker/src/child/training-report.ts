import type { StepInfo, TrainingObserver } from '@lockstep/training';
import type { LinkCells } from './link-cells';
import type { ProgressReporter } from './progress-reporter';

/** Follows a training: counts what this member did, and reports what the chief tells the coordinator. */
export class TrainingReport {
  /** Steps of the job that are applied in this member's state. */
  steps = 0;
  /** Gradient computations: one for each owned replica with rows, in each step. */
  replicaComputations = 0;

  /** @param onStep called after each step, when the state is exact */
  constructor(private readonly progress: ProgressReporter, private readonly cells: Pick<LinkCells, 'inCall'>, private readonly onStep: (step: StepInfo) => void) {}

  readonly observer: TrainingObserver = {
    onCallBegin: (call) => {
      // An export takes as long as it takes.
      this.cells.inCall = call.kind !== 'export' && !call.replayed;
      if (!call.replayed) this.progress.callStarted(call);
    },
    onStep: (step) => {
      this.steps++;
      this.replicaComputations += step.computedReplicas.length;
      this.progress.step(step);
      this.onStep(step);
    },
    onEpochEnd: ({ position, logs }) => this.progress.epochEnded(position, logs),
    onCallEnd: (call) => {
      this.cells.inCall = false;
      if (!call.replayed) this.progress.callEnded(call.number, call);
    },
  };
}
