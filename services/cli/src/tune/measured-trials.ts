import { toHistory, trialNumber, type TunerClient } from '@lockstep/client';
import type { Study, Trial } from '@lockstep/contract';
import type { StudyHistory, TrialRecord } from '@lockstep/search';
import { bestFirst } from './best-first';

/** Trials whose learning curves are shown, each of which is fetched by a call. */
export const MAX_CURVES = 100;
const AT_ONCE = 8;

/** The trials whose curves are worth a look: the best ones, best first; those that run, or came to nothing, fill up what is left. */
export function curvedTrials(history: StudyHistory): readonly TrialRecord[] {
  const others = history.trials.filter(({ state }) => state.kind !== 'SUCCEEDED');
  return [...bestFirst(history), ...others].slice(0, MAX_CURVES);
}

/**
 * The trials, with the measurements of those whose curves are shown, and of those that their training went on from.
 *
 * @param trials all of the study's, in the order of suggestion, without measurements
 */
export async function withCurves(client: Pick<TunerClient, 'getTrial'>, study: Study, trials: readonly Trial[]): Promise<readonly Trial[]> {
  const wanted = new Set<number>();
  for (const { number } of curvedTrials(toHistory(study, trials))) {
    for (let at = trials[number]; at && !wanted.has(trialNumber(at.name)); at = at.rung && at.rung.parent !== '' ? trials[trialNumber(at.rung.parent)] : undefined) wanted.add(trialNumber(at.name));
  }
  const measured = [...trials];
  const left = [...wanted];
  const fetch = async (): Promise<void> => {
    for (let number = left.pop(); number !== undefined; number = left.pop()) {
      const trial = trials[number];
      if (trial) measured[number] = await client.getTrial(trial.name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, fetch));
  return measured;
}
