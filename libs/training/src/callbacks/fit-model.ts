import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TrainingError } from '../errors';
import { OptimizerMemory } from '../state/optimizer-memory';
import { modelInternals, type Tf, type WeightInternals } from '../tfjs';

/** The model of a fit, as far as callbacks act on it. */
export class FitModel {
  constructor(
    readonly tf: Tf,
    readonly model: LayersModel,
    /** Number of the collective call that the fit is. */
    readonly call: number,
  ) {}

  get weights(): readonly WeightInternals[] {
    return modelInternals(this.model).weights;
  }

  /**
   * The optimizer's learning rate as it is used: in float32, as Keras holds it.
   * @throws TrainingError (BAD_ARGUMENT) when the optimizer has none
   */
  get learningRate(): number {
    const rate = this.knownLearningRate;
    if (rate !== undefined) return rate;
    const { optimizer_: optimizer } = modelInternals(this.model);
    throw new TrainingError('BAD_ARGUMENT', `optimizer ${optimizer.getClassName()} has no learningRate that a callback could change: leave the callback out`);
  }

  set learningRate(rate: number) {
    new OptimizerMemory(this.tf, modelInternals(this.model).optimizer_).setNumber('learningRate', Math.fround(rate));
  }

  /** The same; undefined when the optimizer has none. */
  get knownLearningRate(): number | undefined {
    const rate: unknown = Reflect.get(modelInternals(this.model).optimizer_, 'learningRate');
    return typeof rate === 'number' ? Math.fround(rate) : undefined;
  }

  /** Ends the training with the batch or epoch that is under way. */
  stop(): void {
    this.model.stopTraining = true;
  }
}
