/** What an ended job means for the trial that it evaluated. Pure. */
import { Fault, JobState, type TrainJob, type TrialExecution } from '@lockstep/contract';
import { NO_FINDINGS, parseHyperparameters, scoresOf, type Findings, type Measurement, type Objective, type TrialOutcome } from '@lockstep/search';

export interface JobOutcome {
  readonly outcome: TrialOutcome;
  readonly findings: Findings;
  /** Of a job that came to its end. */
  readonly checkpoint: string | undefined;
}

/** Reasons of a job's error that lie in the values: the same bytes would come of another try. */
const INFEASIBLE_REASONS: ReadonlySet<string> = new Set(['INFEASIBLE_TRIAL', 'OBJECTIVE_NOT_FINITE', 'NAN_LOSS']);

/** Faults of a job's error that lie neither in the module nor in the data: elsewhere the same trial may come to its end. */
const FAULTS_ELSEWHERE: ReadonlySet<Fault> = new Set([Fault.WORKER, Fault.CLUSTER]);

/** What was seen of a job while it ran. */
export interface JobCourse {
  /** The trial was asked to end: then it is worth what it has reported. */
  readonly stopped: boolean;
  /** It has reported something. */
  readonly measured: boolean;
  /** Members that were lost. */
  readonly losses: number;
}

/** @throws Error for a job that has not ended */
export function jobOutcome(job: TrainJob, objectives: readonly Objective[], { stopped, measured, losses }: JobCourse): JobOutcome {
  switch (job.state) {
    case JobState.SUCCEEDED: return succeeded(job, objectives);
    case JobState.CANCELLED:
      if (stopped && measured) return ended({ kind: 'SUCCESS', metrics: undefined });
      return ended({ kind: 'INFEASIBLE', reason: stopped ? `${job.name} was stopped before its first epoch had ended` : `${job.name} was cancelled` });
    case JobState.FAILED: {
      const error = job.error?.message ?? `${job.name} failed`;
      if (job.error && FAULTS_ELSEWHERE.has(job.error.fault)) return ended({ kind: 'LOSS', detail: `${job.name}: ${error}`, workers: Math.max(1, losses) });
      return ended(INFEASIBLE_REASONS.has(job.error?.reason ?? '') ? { kind: 'INFEASIBLE', reason: error } : { kind: 'FAILURE', error: `${job.name}: ${error}` });
    }
    case JobState.UNSPECIFIED:
    case JobState.QUEUED:
    case JobState.RENDEZVOUS:
    case JobState.RUNNING:
    case JobState.EXPORTING: throw new Error(`${job.name} has not ended: ${JobState[job.state]}`);
  }
}

const ended = (outcome: TrialOutcome): JobOutcome => ({ outcome, findings: NO_FINDINGS, checkpoint: undefined });

function succeeded({ name, result }: TrainJob, objectives: readonly Objective[]): JobOutcome {
  if (result?.tuner.case !== 'trial') return ended({ kind: 'FAILURE', error: `${name} ended without the outcome of a trial` });
  const { checkpoint, executions, hyperparametersJson } = result.tuner.value;
  const scoring = scoresOf(executions.flatMap(toMeasurements), objectives);
  const { space, values } = parseHyperparameters(hyperparametersJson, 'hyperparameters_json');
  const findings: Findings = space.length > 0 ? { parameters: space, values } : NO_FINDINGS;
  switch (scoring.kind) {
    case 'SCORED': return { outcome: { kind: 'SUCCESS', metrics: new Map(objectives.map(({ metric }, i) => [metric, scoring.scores[i] ?? NaN])) }, findings, checkpoint };
    case 'UNSCORED': return { outcome: { kind: 'INFEASIBLE', reason: scoring.why }, findings, checkpoint };
  }
}

/** Epoch by epoch, counted from 1. */
function toMeasurements({ firstEpoch, objectives }: TrialExecution): readonly Measurement[] {
  const length = Math.max(0, ...objectives.map(({ values }) => values.length));
  return Array.from({ length }, (_, i) => ({
    epoch: firstEpoch + i + 1, metrics: new Map(objectives.flatMap(({ name, values }) => { const value = values[i]; return value === undefined ? [] : [[name, value] as const]; })),
  }));
}
