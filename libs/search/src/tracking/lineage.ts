/** What came of trials and of the study outside of it: jobs, what they trained, and what was committed at the end. */
import { heard, requireHeld } from './holder';
import type { TrialLineage } from './tracked-trial';
import { withTrials, type CommittedResults, type Move, type TrackedStudy } from './tracked-study';

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

/** Notes what was committed of a study that is over. */
export const noteResults = (study: TrackedStudy, results: CommittedResults): Move<void> =>
  ({ study: { ...study, results }, changes: [{ kind: 'STUDY', told: true }], result: undefined });
