import type { ModelInternals } from './tfjs';

/** A model that was compiled after training was installed. */
export class AdoptedModel {
  /** Whether a first step since compile() showed that the model's replicas can be computed again with the same bits. */
  repeatable = false;

  constructor(
    /** Place in the order in which the module compiled its models: the same in every process of the job. */
    readonly index: number,
    readonly internals: ModelInternals,
  ) {}

  get name(): string {
    return this.internals.name;
  }

  /** After model.dispose() a model has no weights that a state could hold. */
  get disposed(): boolean {
    return this.internals.weights.some((weight) => weight.val.isDisposed);
  }
}
