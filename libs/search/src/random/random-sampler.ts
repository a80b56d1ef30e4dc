import { cardinality } from '../space/cardinality';
import { chooseValues, completeValues } from '../space/search-space';
import { valueAt } from '../space/probability';
import { valuesKey } from '../space/value';
import type { Sample, Sampler } from '../study/algorithm';
import type { StudyHistory } from '../study/study-history';
import { TriedValues } from '../study/tried-values';
import { Mt19937 } from './mt19937';

/** KerasTuner takes a space for exhausted when it has drawn known values more often than this. */
const MAX_COLLISIONS = 20;

/**
 * Independent uniform values, KerasTuner's to the last bit for the same seed: each active parameter takes the first number of a new
 * generator, seeded with a counter that starts at the study's seed; values that a trial has already are drawn again. The counter
 * goes with the trial's memo.
 */
export class RandomSampler implements Sampler {
  private readonly tried = new TriedValues();

  sample(history: StudyHistory): Sample {
    const tried = this.tried.follow(history);
    let seedState = lastSeedState(history);
    for (let collisions = 0; collisions <= MAX_COLLISIONS; collisions++) {
      const values = chooseValues(history.space, (parameter) => valueAt(parameter, new Mt19937(seedState++).random()));
      if (!tried.has(values)) return { kind: 'VALUES', values, memo: { seedState } };
    }
    return { kind: 'EXHAUSTED', why: whyNothing(history) };
  }
}

/** KerasTuner gives up at points that it has drawn again and again: what that means is told by how many there are. */
function whyNothing({ space, trials }: StudyHistory): string {
  const size = cardinality(space);
  const tried = new Set(trials.map(({ values }) => valuesKey(completeValues(space, values)))).size;
  if (tried >= size) return `all ${size} points of the space have been tried`;
  return `${tried} of ${size === Infinity ? 'many' : size} points of the space have been tried, among them ${MAX_COLLISIONS + 1} random ones in a row`;
}

function lastSeedState({ trials, seed }: StudyHistory): number {
  for (let i = trials.length - 1; i >= 0; i--) {
    const state = trials[i]?.memo['seedState'];
    if (typeof state === 'number') return state;
  }
  return seed;
}
