/** What decides on suggestions, as plain data: it goes to another thread, which makes the algorithm of it. */
import {
  Asha, BayesianOptimization, CurveStopper, EnqueuedFirst, GaussianSampler, GridSearch, Hyperband, MedianStopper, RandomSampler, RandomSearch, RungStopper,
  type Algorithm, type AshaOptions, type CurveOptions, type GaussianOptions, type HyperbandOptions, type MedianOptions, type Sampler, type Stopper, type Sweep,
} from '@lockstep/search';

export type SamplerKind = 'RANDOM' | 'GAUSSIAN_PROCESS';

export type AlgorithmSettings =
  | { readonly kind: 'RANDOM_SEARCH' }
  | { readonly kind: 'GRID_SEARCH' }
  | { readonly kind: 'BAYESIAN'; readonly options: GaussianOptions }
  | { readonly kind: 'HYPERBAND'; readonly options: HyperbandOptions; readonly sampler: SamplerKind }
  | { readonly kind: 'ASHA'; readonly options: AshaOptions; readonly sampler: SamplerKind };

export type StopperSettings =
  | { readonly kind: 'NONE' }
  | { readonly kind: 'MEDIAN'; readonly options: MedianOptions }
  | { readonly kind: 'CURVE'; readonly options: CurveOptions }
  | { readonly kind: 'RUNG'; readonly options: AshaOptions };

/** @throws SearchError INVALID_SETTINGS */
export function makeAlgorithm(settings: AlgorithmSettings): Algorithm {
  switch (settings.kind) {
    case 'RANDOM_SEARCH': return new EnqueuedFirst(new RandomSearch());
    case 'GRID_SEARCH': return new EnqueuedFirst(new GridSearch());
    case 'BAYESIAN': return new EnqueuedFirst(new BayesianOptimization(settings.options));
    case 'HYPERBAND': return new Hyperband(makeSampler(settings.sampler, settings.options), settings.options);
    case 'ASHA': return new Asha(makeSampler(settings.sampler, settings.options), settings.options);
  }
}

function makeSampler(kind: SamplerKind, { maxEpochs }: Sweep): Sampler {
  switch (kind) {
    case 'RANDOM': return new RandomSampler();
    case 'GAUSSIAN_PROCESS': return new GaussianSampler({ maxEpochs });
  }
}

/** @throws SearchError INVALID_SETTINGS */
export function makeStopper(settings: StopperSettings): Stopper | undefined {
  switch (settings.kind) {
    case 'NONE': return undefined;
    case 'MEDIAN': return new MedianStopper(settings.options);
    case 'CURVE': return new CurveStopper(settings.options);
    case 'RUNG': return new RungStopper(settings.options);
  }
}
