import { toHistory, trialNumber, type TunerClient } from '@lockstep/client';
import type { Study, Trial } from '@lockstep/contract';
import { ranked } from '@lockstep/search';

/** Trials whose learning curves are fetched: each is a call. */
const MAX_CURVES = 100;
const AT_ONCE = 8;

/**
 * The trials, with the measurements of those whose curves are worth a look: the best ones, and those that their training went on from.
 *
 * @param trials all of the study's, in the order of suggestion, without measurements
 */
export async function withCurves(client: Pick<TunerClient, 'getTrial'>, study: Study, trials: readonly Trial[]): Promise<readonly Trial[]> {
  const history = toHistory(study, trials);
  const wanted = new Set<number>();
  const best = ranked(history.trials, history.objectives).slice(0, MAX_CURVES).map(({ number }) => number);
  // Those that run, or came to nothing, fill up what is left.
  const others = trials.map(({ name }) => trialNumber(name)).filter((number) => !best.includes(number)).slice(0, MAX_CURVES - best.length);
  for (const number of [...best, ...others]) {
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
