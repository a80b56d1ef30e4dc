import { formatPosition, type Collective, type Position } from '@lockstep/reduction';
import { installTraining } from '../install';
import { samePosition } from '@lockstep/reduction';
import type { TrainingState } from '../state/training-state';
import type { Tf } from '../tfjs';
import type { StepInfo } from '../runtime';
import type { OptimizerName } from './models';
import { PROGRAMS, type ProgramName } from './programs';

/** One run of a program by one member. */
export interface ProgramRun {
  readonly program: ProgramName;
  readonly optimizer: OptimizerName;
  readonly seed: number;
  /** Where to take a state: after the step at this position. */
  readonly snapshotAt?: Position;
  readonly resume?: TrainingState;
}

/** What a member ends with. */
export interface ProgramOutcome {
  /** Of the state after the last call. */
  readonly digest: string;
  /** What the program returned, as JSON. */
  readonly result: string;
  /** Of each step, the replicas that this member computed. */
  readonly computed: readonly (readonly number[])[];
  readonly snapshot: TrainingState | undefined;
  /** Of each step, what it consumed. */
  readonly visits: readonly string[];
}

/** What a step consumed, for a comparison. */
export const shownVisits = ({ position, visits }: StepInfo): string => `${formatPosition(position)}: ${visits.records} records, ${visits.sum}`;

export async function runProgram(tf: Tf, collective: Collective, run: ProgramRun): Promise<ProgramOutcome> {
  const computed: (readonly number[])[] = [];
  const visits: string[] = [];
  let snapshot: TrainingState | undefined;
  const training = installTraining(tf, {
    seed: run.seed,
    collective,
    replay: 'SAME_BITS',
    observer: {
      onStep: (step) => {
        computed.push(step.computedReplicas);
        visits.push(shownVisits(step));
        if (run.snapshotAt && samePosition(step.position, run.snapshotAt)) snapshot = training.state();
      },
    },
    ...(run.resume ? { resume: run.resume } : {}),
  });
  try {
    const result = JSON.stringify(await PROGRAMS[run.program](tf, run.optimizer));
    return { digest: training.state().digest, result, computed, snapshot, visits };
  } finally {
    training.uninstall();
    tf.disposeVariables();
  }
}
