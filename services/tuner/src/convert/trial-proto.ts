/** Trials, to and from the wire. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { MeasurementSchema, Origin, TrialSchema, type Measurement as MeasurementMessage, type Metric, type Trial } from '@lockstep/contract';
import { trialName, type SearchSpace, type TrackedMeasurement, type TrackedStudy, type TrackedTrial, type TrialOrigin, type Violation } from '@lockstep/search';
import type { StoredTrial } from '../store/study-store';
import { toParameterValues } from './value-proto';

const ORIGINS: Readonly<Record<TrialOrigin, Origin>> = { ALGORITHM: Origin.ALGORITHM, ENQUEUED: Origin.ENQUEUED, IMPORTED: Origin.IMPORTED, DISCOVERY: Origin.DISCOVERY };

/** What is needed of a study to show a trial of it. */
export type TrialContext = Pick<TrackedStudy, 'name' | 'space'>;

/** A trial as it is now, without its times and measurements. */
export function toTrialMessage(study: TrialContext, trial: TrackedTrial): Trial {
  const { fidelity } = trial;
  const message = create(TrialSchema, {
    name: trialName(study, trial.number), values: toParameterValues(spaceOf(study), trial.values), origin: ORIGINS[trial.origin], state: stateOf(trial), attempts: trial.attempts,
    job: trial.lineage?.job ?? '', checkpoint: trial.lineage?.checkpoint ?? '',
  });
  if (fidelity.kind === 'WHOLE') return message;
  const { iteration, bracket, round, initialEpoch, epochs, parent } = fidelity;
  return { ...message, rung: { $typeName: 'lockstep.tuner.v1.Rung', iteration, bracket, round, initialEpoch, epochs, parent: parent === undefined ? '' : trialName(study, parent) } };
}

/** The same of a stored trial, with its times, and its measurements if it has been read with them. */
export function toStoredTrialMessage(study: TrialContext, { trial, createMs, endMs }: StoredTrial): Trial {
  return {
    ...toTrialMessage(study, trial), createTime: timestampFromMs(createMs), ...(endMs !== undefined && { endTime: timestampFromMs(endMs) }),
    measurements: trial.measurements.map(toMeasurementMessage),
  };
}

export const toMeasurementMessage = ({ epoch, execution, metrics }: TrackedMeasurement): MeasurementMessage =>
  create(MeasurementSchema, { epoch, execution, metrics: [...metrics].map(([name, value]) => ({ name, value })) });

/** Metrics by name; what is wrong with them is added to the violations. */
export function fromMetrics(messages: readonly Metric[], field: string, violations: Violation[]): ReadonlyMap<string, number> {
  const metrics = new Map<string, number>();
  messages.forEach(({ name, value }, i) => {
    if (name === '') violations.push({ field: `${field}[${i}].name`, description: 'is required' });
    if (metrics.has(name)) violations.push({ field: `${field}[${i}].name`, description: `${JSON.stringify(name)} has a value already` });
    metrics.set(name, value);
  });
  return metrics;
}

function spaceOf({ space }: TrialContext): SearchSpace {
  return space.kind === 'KNOWN' ? space.space : [];
}

function stateOf({ state }: TrackedTrial): Trial['state'] {
  switch (state.kind) {
    case 'REQUESTED': return { case: 'requested', value: { $typeName: 'lockstep.tuner.v1.TrialRequested', detail: state.detail } };
    case 'RUNNING': return { case: 'running', value: { $typeName: 'lockstep.tuner.v1.TrialRunning', holder: state.holder } };
    case 'STOPPING': return { case: 'stopping', value: { $typeName: 'lockstep.tuner.v1.TrialStopping', holder: state.holder, detail: state.detail } };
    case 'SUCCEEDED': return { case: 'succeeded', value: { $typeName: 'lockstep.tuner.v1.TrialSucceeded', scores: [...state.scores] } };
    case 'INFEASIBLE': return { case: 'infeasible', value: { $typeName: 'lockstep.tuner.v1.TrialInfeasible', reason: state.reason } };
    case 'FAILED': return { case: 'failed', value: { $typeName: 'lockstep.tuner.v1.TrialFailed', error: state.error } };
    case 'CANCELLED': return { case: 'cancelled', value: { $typeName: 'lockstep.tuner.v1.TrialCancelled' } };
  }
}
