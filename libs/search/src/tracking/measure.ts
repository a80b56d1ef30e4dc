/** What running trials report. */
import { heard, requireHeld } from './holder';
import { TrackingError } from './tracking-error';
import type { TrackedMeasurement } from './tracked-trial';
import { trialName, withTrials, type Move, type TrackedStudy } from './tracked-study';

/** Measurements of one try of a trial; a trial that reports more often says the same too often. */
export const MAX_MEASUREMENTS = 20_000;

/**
 * Takes a measurement of a client's trial. Reports may come out of order, and twice.
 *
 * @returns why the trial should end now, if it should
 * @throws TrackingError NOT_PENDING, TRIAL_LOST, MEASUREMENT_DIVERGED, TOO_MANY_MEASUREMENTS
 */
export function takeMeasurement(study: TrackedStudy, number: number, client: string, measurement: TrackedMeasurement, nowMs: number): Move<string | undefined> {
  const trial = heard(requireHeld(study, number, client), nowMs);
  const stop = trial.state.kind === 'STOPPING' ? trial.state.detail : undefined;
  const known = trial.measurements.findLast(({ epoch, execution }) => epoch === measurement.epoch && execution === measurement.execution);
  if (known) {
    if (!sameMetrics(known.metrics, measurement.metrics)) throw diverged(study, number, known, measurement);
    return { study: withTrials(study, [trial]), changes: [], result: stop };
  }
  if (trial.measurements.length >= MAX_MEASUREMENTS) {
    throw new TrackingError('TOO_MANY_MEASUREMENTS', `${trialName(study, number)} has ${MAX_MEASUREMENTS} measurements, the most that are kept: report less often`, { trial: trialName(study, number) });
  }
  const next = { ...trial, measurements: [...trial.measurements, measurement] };
  const epochCount = study.epochCount + (measurement.epoch > 0 ? 1 : 0);
  return { study: { ...withTrials(study, [next]), epochCount }, changes: [{ kind: 'MEASURED', number, measurement }], result: stop };
}

const sameMetrics = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean =>
  a.size === b.size && [...a].every(([name, value]) => Object.is(b.get(name), value));

function diverged(study: TrackedStudy, number: number, known: TrackedMeasurement, given: TrackedMeasurement): TrackingError {
  const shown = ({ metrics }: TrackedMeasurement): string => [...metrics].slice(0, 5).map(([name, value]) => `${name} = ${value}`).join(', ');
  return new TrackingError('MEASUREMENT_DIVERGED',
    `${trialName(study, number)} has reported epoch ${known.epoch} of execution ${known.execution} already, with ${shown(known)}; now with ${shown(given)}. A measurement never changes`,
    { trial: trialName(study, number) });
}
