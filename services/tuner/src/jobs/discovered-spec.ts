/** The study that a module's tuner describes. Pure. */
import { create } from '@bufbuild/protobuf';
import { Direction, Sampler, StudySpecSchema, TuningObjective_Direction as Found, type DiscoveryOutcome, type JobEvaluation, type StudySpec } from '@lockstep/contract';
import { parseHyperparameters } from '@lockstep/search';
import { toSpaceMessage } from '../convert/space-proto';

/** The options of a tuner's class, in KerasTuner's words. */
interface TunerOptions {
  readonly maxTrials?: number;
  readonly maxEpochs?: number;
  readonly minEpochs?: number;
  readonly factor?: number;
  readonly hyperbandIterations?: number;
  readonly sampler?: 'random' | 'gaussianProcess';
  readonly numInitialPoints?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly seed?: number;
  readonly maxRetriesPerTrial?: number;
  readonly maxConsecutiveFailedTrials?: number;
}

const SAMPLERS = { random: Sampler.RANDOM, gaussianProcess: Sampler.GAUSSIAN_PROCESS } as const;

/** @throws SearchError MALFORMED_JSON; Error for a tuner that nobody knows */
export function discoveredSpec({ algorithm, optionsJson, objectives, hyperparametersJson }: DiscoveryOutcome, jobs: JobEvaluation): StudySpec {
  const options = JSON.parse(optionsJson) as TunerOptions;
  const { space } = parseHyperparameters(hyperparametersJson, 'hyperparameters_json');
  const { maxTrials, maxRetriesPerTrial, maxConsecutiveFailedTrials, seed = 0 } = options;
  return create(StudySpecSchema, {
    space: { case: 'searchSpace', value: toSpaceMessage(space) },
    objectives: objectives.map(({ metric, direction }) => ({ metric, direction: directionOf(direction) })),
    algorithm: algorithmOf(algorithm, options), seed: BigInt(seed), jobs,
    ...(maxTrials !== undefined && { maxTrials }), ...(maxRetriesPerTrial !== undefined && { maxRetriesPerTrial }), ...(maxConsecutiveFailedTrials !== undefined && { maxConsecutiveFailedTrials }),
  });
}

function directionOf(found: Found): Direction {
  switch (found) {
    case Found.UNSPECIFIED: return Direction.UNSPECIFIED;
    case Found.MIN: return Direction.MIN;
    case Found.MAX: return Direction.MAX;
  }
}

function algorithmOf(name: string, { maxEpochs = 0, minEpochs = 0, factor = 0, hyperbandIterations = 0, sampler = 'random', numInitialPoints, alpha, beta }: TunerOptions): StudySpec['algorithm'] {
  switch (name) {
    case 'RandomSearch': return { case: 'randomSearch', value: { $typeName: 'lockstep.tuner.v1.RandomSearch' } };
    case 'GridSearch': return { case: 'gridSearch', value: { $typeName: 'lockstep.tuner.v1.GridSearch' } };
    case 'BayesianOptimization': return {
      case: 'bayesianOptimization', value: {
        $typeName: 'lockstep.tuner.v1.BayesianOptimization', ...(numInitialPoints !== undefined && { numInitialPoints }), ...(alpha !== undefined && { alpha }), ...(beta !== undefined && { beta }),
      },
    };
    case 'Hyperband': return { case: 'hyperband', value: { $typeName: 'lockstep.tuner.v1.Hyperband', maxEpochs, factor, iterations: hyperbandIterations, sampler: SAMPLERS[sampler], earlierSweeps: [] } };
    case 'Asha': return { case: 'asha', value: { $typeName: 'lockstep.tuner.v1.Asha', maxEpochs, minEpochs, factor, sampler: SAMPLERS[sampler] } };
    default: throw new Error(`the module's tuner is ${JSON.stringify(name)}, which this tuner does not know: its version is older than the worker's`);
  }
}
