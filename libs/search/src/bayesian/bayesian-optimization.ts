import type { Algorithm, Suggestion } from '../study/algorithm';
import { endOrWait } from '../study/end-or-wait';
import type { StudyHistory } from '../study/study-history';
import { WHOLE } from '../study/trial-record';
import { DesignSpace } from './design-space';
import { checkGaussianOptions, type GaussianOptions } from './gaussian-options';
import { observe } from './observations';
import { propose } from './propose';

/**
 * Bayesian optimisation by Gaussian processes, of one objective (log expected improvement) or several (expected hypervolume improvement). Never
 * suggests a point twice.
 */
export class BayesianOptimization implements Algorithm {
  /** @throws {SearchError} INVALID_SETTINGS */
  constructor(private readonly options: GaussianOptions = {}) {
    checkGaussianOptions(options);
  }

  suggest(history: StudyHistory): Suggestion {
    const design = DesignSpace.of(history.space);
    const sample = propose({ history, design, observations: observe(history, design), options: this.options, axis: undefined });
    switch (sample.kind) {
      case 'VALUES': return { kind: 'TRIAL', values: sample.values, fidelity: WHOLE, memo: sample.memo, origin: 'ALGORITHM' };
      case 'EXHAUSTED': return endOrWait(history, sample.why);
    }
  }
}
