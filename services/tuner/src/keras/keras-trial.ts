/** Trials as KerasTuner's wire has them. */
import { create } from '@bufbuild/protobuf';
import { trialIdsOf } from '@lockstep/client';
import { kerasTuner, type StudySpec } from '@lockstep/contract';
import { combined, scoresOf, type Objective, type TrackedStudy, type TrackedTrial, type Value, type Values } from '@lockstep/search';
import { toHyperParameters } from './keras-space';

const { TrialStatus } = kerasTuner;

/** A trial's id, the same as in the study's results. */
export const kerasTrialId = ({ rules }: Pick<TrackedStudy, 'rules'>, { algorithm }: Pick<StudySpec, 'algorithm'>, number: number): string =>
  trialIdsOf({ algorithm, maxTrials: rules.limits.maxTrials })(number);

/** The number of a trial by its id; undefined for what is no id of ours. */
export const fromKerasTrialId = (id: string): number | undefined => (/^\d{1,15}$/.test(id) ? Number(id) : undefined);

/** The answer to a worker that is to wait or to end: it looks at the status alone. */
export function kerasSignal(study: TrackedStudy, status: kerasTuner.TrialStatus): kerasTuner.Trial {
  return create(kerasTuner.TrialSchema, { trialId: '', status, hyperparameters: toHyperParameters(study.space.kind === 'KNOWN' ? study.space.space : [], new Map()) });
}

/** A trial with all that is known of it. An unset status would be run. */
export function toKerasTrial(study: TrackedStudy, spec: StudySpec, trial: TrackedTrial): kerasTuner.Trial {
  const { objectives } = study;
  const scored = scoreOf(trial, objectives);
  return create(kerasTuner.TrialSchema, {
    trialId: kerasTrialId(study, spec, trial.number), status: statusOf(trial),
    hyperparameters: toHyperParameters(study.space.kind === 'KNOWN' ? study.space.space : [], trial.values, ownValues(study, spec, trial)),
    metrics: { metrics: metricsOf(trial, objectives) }, ...(scored && { score: scored }),
  });
}

function statusOf({ state, failures }: TrackedTrial): kerasTuner.TrialStatus {
  switch (state.kind) {
    // What failed is INVALID until somebody tries it again.
    case 'REQUESTED': return failures > 0 ? TrialStatus.INVALID : TrialStatus.RUNNING;
    case 'RUNNING': return TrialStatus.RUNNING;
    case 'STOPPING':
    case 'CANCELLED': return TrialStatus.STOPPED;
    case 'SUCCEEDED': return TrialStatus.COMPLETED;
    case 'INFEASIBLE':
    case 'FAILED': return TrialStatus.FAILED;
  }
}

/** What a kt.Hyperband worker reads: how far to train, and from whose checkpoint. */
function ownValues(study: TrackedStudy, spec: StudySpec, { fidelity }: TrackedTrial): Values {
  if (fidelity.kind === 'WHOLE') return new Map();
  const { epochs, initialEpoch, bracket, round, parent } = fidelity;
  const own: [string, Value][] = [['tuner/epochs', epochs], ['tuner/initial_epoch', initialEpoch], ['tuner/bracket', bracket], ['tuner/round', round]];
  return new Map(parent === undefined ? own : [...own, ['tuner/trial_id', kerasTrialId(study, spec, parent)]]);
}

function metricsOf({ measurements }: TrackedTrial, objectives: readonly Objective[]): Record<string, kerasTuner.MetricHistory> {
  const histories = new Map<string, Map<number, number[]>>();
  for (const { epoch, metrics } of measurements) {
    for (const [name, value] of metrics) {
      const history = histories.get(name) ?? new Map<number, number[]>();
      histories.set(name, history);
      history.set(epoch, [...history.get(epoch) ?? [], value]);
    }
  }
  return Object.fromEntries([...histories].map(([name, history]) => [name, create(kerasTuner.MetricHistorySchema, {
    observations: [...history].sort(([a], [b]) => a - b).map(([epoch, value]) => ({ value, step: BigInt(epoch) })),
    maximize: objectives.some(({ metric, direction }) => metric === name && direction === 'MAX'),
  })]));
}

/** With several objectives the score is KerasTuner's "multi_objective". */
function scoreOf({ state, measurements }: TrackedTrial, objectives: readonly Objective[]): { readonly value: number; readonly step: bigint } | undefined {
  if (state.kind !== 'SUCCEEDED') return undefined;
  const scoring = scoresOf(measurements, objectives);
  const [single] = state.scores;
  return { value: objectives.length === 1 && single !== undefined ? single : combined(state.scores, objectives), step: BigInt(scoring.kind === 'SCORED' ? scoring.epoch : 0) };
}
