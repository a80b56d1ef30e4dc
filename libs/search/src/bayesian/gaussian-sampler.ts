import type { Sample, Sampler } from '../study/algorithm';
import type { StudyHistory } from '../study/study-history';
import type { Fidelity } from '../study/trial-record';
import { refuseViolations } from '../search-error';
import { DesignSpace } from './design-space';
import { checkGaussianOptions, type GaussianOptions } from './gaussian-options';
import { observe } from './observations';
import { explore, propose } from './propose';

/**
 * Every third point is an initial one, whatever the process says, as in BOHB (Falkner et al., "BOHB: Robust and Efficient Hyperparameter Optimization at
 * Scale", 2018): low rungs may mislead it, and until a higher one has been seen nothing else would tell.
 */
const EXPLORED_EVERY = 3;

export interface GaussianSamplerOptions extends GaussianOptions {
  /** Of a trial that gets through to the end; that of the Hyperband or ASHA that it samples for. A positive integer. */
  readonly maxEpochs: number;
}

/**
 * The search of `BayesianOptimization` as the sampler of Hyperband or ASHA. It learns from the rungs of all trials at once: the logarithm of
 * the epochs is one coordinate more of the process, and what is looked for is the point that is best at `maxEpochs` (the idea of Klein et
 * al., "Fast Bayesian Optimization of Machine Learning Hyperparameters on Large Datasets", 2017, with epochs for data). How much low
 * rungs tell about high ones is its fitted lengthscale.
 */
export class GaussianSampler implements Sampler {
  /** @throws {SearchError} INVALID_SETTINGS */
  constructor(private readonly options: GaussianSamplerOptions) {
    const { maxEpochs } = options;
    if (!(Number.isSafeInteger(maxEpochs) && maxEpochs >= 1)) {
      refuseViolations('INVALID_SETTINGS', [{ field: 'options.maxEpochs', description: `${maxEpochs} epochs: it must be an integer of at least 1` }]);
    }
    checkGaussianOptions(options);
  }

  sample(history: StudyHistory): Sample {
    const design = DesignSpace.of(history.space);
    const positions = history.trials.map(({ fidelity }) => this.position(fidelity));
    const request = { history, design, observations: observe(history, design), options: this.options, axis: { positions, target: 1 } };
    return history.trials.length % EXPLORED_EVERY === EXPLORED_EVERY - 1 ? explore(request) : propose(request);
  }

  /** From 0 for an epoch to 1 for all, and beyond where a study was cut down. */
  private position(fidelity: Fidelity): number {
    if (fidelity.kind === 'WHOLE' || this.options.maxEpochs === 1) return 1;
    return Math.log(Math.max(1, fidelity.epochs)) / Math.log(this.options.maxEpochs);
  }
}
