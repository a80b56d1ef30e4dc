/**
 * From replicas to the whole batch, through the collective.
 *
 * 1. Replicas are added along the canonical tree: on this member by tf ops up to its subtree roots, above by the group.
 * 2. Only subtree roots leave the backend, in flat float32 buckets in canonical order: tensors, then the tail.
 * 3. All members open the same rounds: lengths follow from the model, presence from the batch's row count.
 * 4. Tensors that are borrowed are read where the group reduced them, until the next round; the others are copies.
 */
import { foldTree, layoutBuckets, type BucketLayout, type Collective, type Position, type Range } from '@lockstep/reduction';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from '../tfjs';
import { addContributions, disposeContribution, type Contribution } from './contribution';
import { ReadOut } from './read-out';

/** Size at which a bucket is closed, so that its exchange starts while the rest is read out. */
const BUCKET_BYTES = 4 << 20;

/** Shapes of a contribution: the same on every member and at every step of a call. */
export interface ContributionLayout {
  readonly tensorShapes: readonly (readonly number[])[];
  readonly tailLength: number;
  /** How many of the first tensors are only read, and only within the step, so that no copy of the sums is needed. */
  readonly borrowedTensors: number;
}

/** Places tensors and tail in buckets, in order. */
function placeParts(layout: ContributionLayout): BucketLayout {
  const tensors = layout.tensorShapes.map((shape, i) => ({ name: `tensor ${i}`, length: shape.reduce((size, dimension) => size * dimension, 1) }));
  return layoutBuckets([...tensors, { name: 'tail', length: layout.tailLength }], BUCKET_BYTES);
}

export class Reducer {
  private readonly readOut: ReadOut;

  constructor(
    private readonly tf: Tf,
    private readonly collective: Collective,
  ) {
    this.readOut = new ReadOut(tf);
  }

  /**
   * Computes this member's present replicas and returns the sum over all replicas, in tensors that the caller disposes of
   * before the next call.
   * @param present for each of the V replicas, whether it has rows; at least one has
   * @throws CollectiveError when the group does not get through
   */
  reduce(position: Position, layout: ContributionLayout, present: readonly boolean[], compute: (replica: number) => Contribution): Contribution {
    const { collective } = this;
    const folded: { root: number; sum: Contribution }[] = [];
    try {
      collective.roots.forEach((root, i) => {
        const sum = this.fold(root, present, compute);
        if (sum) folded.push({ root: i, sum });
      });
      const whole = folded[0];
      // The one member of a group holds the whole sum already; reading it out and back would not change a bit.
      if (collective.worldSize === 1 && whole) {
        folded.length = 0;
        return whole.sum;
      }
      const placed = placeParts(layout);
      collective.begin({ position, present, bucketLengths: placed.lengths });
      placed.lengths.forEach((_length, bucket) => {
        for (const { root, sum } of folded) this.write(collective.input(bucket, root), sum, placed, bucket);
        collective.submit(bucket);
      });
      return this.collect(placed, layout);
    } finally {
      for (const { sum } of folded) disposeContribution(sum);
    }
  }

  /** Sums up a subtree; what is computed already is freed when a later replica throws. */
  private fold(root: Range, present: readonly boolean[], compute: (replica: number) => Contribution): Contribution | undefined {
    const pending = new Set<Contribution>();
    try {
      const sum = foldTree<Contribution>(
        root,
        (replica) => {
          if (present[replica] !== true) return undefined;
          const leaf = compute(replica);
          pending.add(leaf);
          return leaf;
        },
        (left, right) => {
          pending.delete(left);
          pending.delete(right);
          const added = addContributions(this.tf, left, right);
          pending.add(added);
          return added;
        },
      );
      pending.clear();
      return sum;
    } finally {
      for (const contribution of pending) disposeContribution(contribution);
    }
  }

  /** Writes the parts of one bucket. */
  private write(input: Float32Array, sum: Contribution, placed: BucketLayout, bucket: number): void {
    placed.parts.forEach((part, i) => {
      if (part.bucket !== bucket) return;
      const tensor = sum.tensors[i];
      if (tensor) this.readOut.copy(tensor, input, part.offset);
      else input.set(sum.tail, part.offset);
    });
  }

  private collect(placed: BucketLayout, layout: ContributionLayout): Contribution {
    const tensors: Tensor[] = [];
    let tail = new Float32Array(0);
    try {
      placed.parts.forEach((part, i) => {
        const view = this.collective.wait(part.bucket).subarray(part.offset, part.offset + part.length);
        const shape = layout.tensorShapes[i];
        // slice() copies out of the memory that the next round overwrites. For gradients that would cost more than the copy
        // itself: new buffers of their size in every step keep the garbage collector at work.
        if (shape) tensors.push(this.tf.keep(this.tf.tensor(i < layout.borrowedTensors ? view : view.slice(), [...shape], 'float32')));
        else tail = view.slice();
      });
      return { tensors, tail };
    } catch (error) {
      this.tf.dispose(tensors);
      throw error;
    }
  }
}
