/** An algorithm and a stopper of the wire, with every default filled in, and the settings that they mean. */
import { create } from '@bufbuild/protobuf';
import { AshaSchema, BayesianOptimizationSchema, CurveStoppingSchema, HyperbandSchema, MedianStoppingSchema, RungStoppingSchema, Sampler, type StudySpec } from '@lockstep/contract';
import { ASHA_DEFAULTS, CURVE_DEFAULTS, HYPERBAND_DEFAULTS, MEDIAN_DEFAULTS } from '@lockstep/search';
import type { AlgorithmSettings, SamplerKind, StopperSettings } from '../suggest/algorithm-settings';

/** The `algorithm` of a spec, or undefined when it has none. */
export function resolveAlgorithm(algorithm: StudySpec['algorithm']): StudySpec['algorithm'] {
  switch (algorithm.case) {
    case 'hyperband': {
      const { maxEpochs, factor, iterations, sampler, earlierSweeps } = algorithm.value;
      return { case: 'hyperband', value: create(HyperbandSchema, {
        maxEpochs: maxEpochs || HYPERBAND_DEFAULTS.maxEpochs, factor: factor || HYPERBAND_DEFAULTS.factor, iterations: iterations || HYPERBAND_DEFAULTS.iterations, sampler: sampler || Sampler.RANDOM, earlierSweeps,
      }) };
    }
    case 'asha': {
      const { maxEpochs, minEpochs, factor, sampler } = algorithm.value;
      return { case: 'asha', value: create(AshaSchema, {
        maxEpochs: maxEpochs || ASHA_DEFAULTS.maxEpochs, minEpochs: minEpochs || ASHA_DEFAULTS.minEpochs, factor: factor || ASHA_DEFAULTS.factor, sampler: sampler || Sampler.RANDOM,
      }) };
    }
    case 'bayesianOptimization': return { case: 'bayesianOptimization', value: create(BayesianOptimizationSchema, algorithm.value) };
    case 'randomSearch':
    case 'gridSearch':
    case undefined: return algorithm;
  }
}

/** @param algorithm with its defaults filled in */
export function algorithmSettings(algorithm: StudySpec['algorithm']): AlgorithmSettings {
  switch (algorithm.case) {
    case 'hyperband': {
      const { maxEpochs, factor, iterations, sampler, earlierSweeps } = algorithm.value;
      return { kind: 'HYPERBAND', sampler: samplerOf(sampler), options: { maxEpochs, factor, iterations, earlierSweeps: earlierSweeps.map((sweep) => ({ maxEpochs: sweep.maxEpochs, factor: sweep.factor })) } };
    }
    case 'asha': {
      const { maxEpochs, minEpochs, factor, sampler } = algorithm.value;
      return { kind: 'ASHA', sampler: samplerOf(sampler), options: { maxEpochs, minEpochs, factor } };
    }
    case 'bayesianOptimization': {
      const { numInitialPoints, alpha, beta } = algorithm.value;
      return { kind: 'BAYESIAN', options: { numInitialPoints, alpha, beta } };
    }
    case 'gridSearch': return { kind: 'GRID_SEARCH' };
    case 'randomSearch':
    case undefined: return { kind: 'RANDOM_SEARCH' };
  }
}

function samplerOf(sampler: Sampler): SamplerKind {
  switch (sampler) {
    case Sampler.UNSPECIFIED:
    case Sampler.RANDOM: return 'RANDOM';
    case Sampler.GAUSSIAN_PROCESS: return 'GAUSSIAN_PROCESS';
  }
}

/** The `stopping` of a spec with every default filled in. */
export function resolveStopping(stopping: StudySpec['stopping']): StudySpec['stopping'] {
  switch (stopping.case) {
    case 'medianStopping': {
      const { minTrials = MEDIAN_DEFAULTS.minTrials, minEpochs = MEDIAN_DEFAULTS.minEpochs } = stopping.value;
      return { case: 'medianStopping', value: create(MedianStoppingSchema, { minTrials, minEpochs }) };
    }
    case 'curveStopping': {
      const { maxEpochs, minProbability = CURVE_DEFAULTS.minProbability, minEpochs = CURVE_DEFAULTS.minEpochs } = stopping.value;
      return { case: 'curveStopping', value: create(CurveStoppingSchema, { maxEpochs, minProbability, minEpochs }) };
    }
    case 'rungStopping': {
      const { maxEpochs, minEpochs, factor } = stopping.value;
      return { case: 'rungStopping', value: create(RungStoppingSchema, { maxEpochs, minEpochs: minEpochs || ASHA_DEFAULTS.minEpochs, factor: factor || ASHA_DEFAULTS.factor }) };
    }
    case undefined: return stopping;
  }
}

/** @param stopping with its defaults filled in */
export function stopperSettings(stopping: StudySpec['stopping']): StopperSettings {
  switch (stopping.case) {
    case 'medianStopping': {
      const { minTrials = MEDIAN_DEFAULTS.minTrials, minEpochs = MEDIAN_DEFAULTS.minEpochs } = stopping.value;
      return { kind: 'MEDIAN', options: { minTrials, minEpochs } };
    }
    case 'curveStopping': {
      const { maxEpochs, minProbability = CURVE_DEFAULTS.minProbability, minEpochs = CURVE_DEFAULTS.minEpochs } = stopping.value;
      return { kind: 'CURVE', options: { maxEpochs, minProbability, minEpochs } };
    }
    case 'rungStopping': {
      const { maxEpochs, minEpochs, factor } = stopping.value;
      return { kind: 'RUNG', options: { maxEpochs, minEpochs, factor } };
    }
    case undefined: return { kind: 'NONE' };
  }
}
