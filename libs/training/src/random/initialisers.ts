import type { Tf } from '../tfjs';
import type { Patches } from '../patches';
import type { RandomRouter } from './random-router';

/**
 * Keys the draws of unseeded initialisers by weight path (layer name / weight name) and by how many weights of that path
 * the process made before, so that a weight's first value depends neither on what else is built nor on when.
 */
export function keyInitialisers(tf: Tf, router: RandomRouter, patches: Patches): void {
  const made = new Map<string, number>();
  patches.replace(tf.layers.Layer.prototype as unknown as AddsWeights, 'addWeight', (original) =>
    function (this: AddsWeights, name, ...rest) {
      const path = `${this.name}/${name}`;
      const occurrence = made.get(path) ?? 0;
      made.set(path, occurrence + 1);
      return router.withKey(['initialise', path, occurrence], () => original.call(this, name, ...rest));
    },
  );
}

/** The protected part of a layer by which weights are made. */
interface AddsWeights {
  readonly name: string;
  addWeight(this: AddsWeights, name: string, ...rest: unknown[]): unknown;
}
