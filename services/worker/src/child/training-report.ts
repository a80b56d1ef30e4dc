import { create } from '@bufbuild/protobuf';
import { CallEndedSchema, CallStartedSchema, EpochEndedSchema } from '@lockstep/contract';
import type { TrainingObserver } from '@lockstep/training';
import { toMetrics, toPosition, type ProgressReporter } from './progress-reporter';

/** Follows a training: counts what this member did, and tells the coordinator when it is the chief. */
export class TrainingReport {
  /** Steps that were applied. */
  steps = 0;
  /** Gradient computations: one for each owned replica with rows, in each step. */
  replicaComputations = 0;

  constructor(private readonly progress: ProgressReporter, private readonly tells: boolean) {}

  readonly observer: TrainingObserver = {
    onCallBegin: (call) => {
      if (!this.tells || call.replayed) return;
      this.progress.event({ case: 'callStarted', value: create(CallStartedSchema, {
        call: call.number, kind: call.kind, label: call.label, epochs: call.extent?.epochs ?? 0, stepsPerEpoch: call.extent?.stepsPerEpoch ?? 0,
      }) });
    },
    onStep: (step) => {
      this.steps++;
      this.replicaComputations += step.computedReplicas.length;
      if (this.tells) this.progress.step(step.position, step.rows, step.values);
    },
    onEpochEnd: ({ position, logs }) => {
      if (this.tells) this.progress.event({ case: 'epochEnded', value: create(EpochEndedSchema, { position: toPosition(position), metrics: toMetrics(logs) }) });
    },
    onCallEnd: (call) => {
      if (!this.tells || call.replayed) return;
      this.progress.event({ case: 'callEnded', value: create(CallEndedSchema, { call: call.number, kind: call.kind }) });
    },
  };
}
