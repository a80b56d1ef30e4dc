/** What came of a trial outside of its study: the job that evaluates it, and what that trained. */
import { heard, requireHeld } from './holder';
import type { TrialLineage } from './tracked-trial';
import { withTrials, type Move, type TrackedStudy } from './tracked-study';

/**
 * Notes the job that a client runs for its trial, and its checkpoint once there is one.
 *
 * @throws TrackingError NOT_PENDING, TRIAL_LOST
 */
export function noteLineage(study: TrackedStudy, number: number, client: string, lineage: TrialLineage, nowMs: number): Move<void> {
  const trial = heard(requireHeld(study, number, client), nowMs);
  if (trial.lineage?.job === lineage.job && trial.lineage.checkpoint === lineage.checkpoint) return { study: withTrials(study, [trial]), changes: [], result: undefined };
  const next = { ...trial, lineage };
  return { study: withTrials(study, [next]), changes: [{ kind: 'TRIAL', trial: next }], result: undefined };
}
