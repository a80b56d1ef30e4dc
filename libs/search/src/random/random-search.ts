import type { Algorithm, Suggestion } from '../study/algorithm';
import { endOrWait } from '../study/end-or-wait';
import type { StudyHistory } from '../study/study-history';
import { WHOLE } from '../study/trial-record';
import { RandomSampler } from './random-sampler';

/** Random search, the same trials as KerasTuner's for the same space and seed. */
export class RandomSearch implements Algorithm {
  private readonly sampler = new RandomSampler();

  suggest(history: StudyHistory): Suggestion {
    const sample = this.sampler.sample(history);
    switch (sample.kind) {
      case 'VALUES': return { kind: 'TRIAL', values: sample.values, fidelity: WHOLE, memo: sample.memo, origin: 'ALGORITHM' };
      case 'EXHAUSTED': return endOrWait(history, sample.why);
    }
  }
}
