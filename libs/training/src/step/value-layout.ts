import { isMergeable, type MergeableMetric } from '../metrics';
import type { ModelInternals } from '../tfjs';

/** One number of a batch's logs, made of one or several reduced values. */
interface ValueSlot {
  /** As in History. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Undefined for a mean over rows. */
  readonly merge: MergeableMetric | undefined;
}

/**
 * Where loss and metrics lie in the vector of values that a replica yields: the loss, then the model's metrics in
 * tfjs's order, a row mean in one value, a mergeable metric in its sums.
 */
export class ValueLayout {
  readonly slots: readonly ValueSlot[];
  readonly size: number;

  constructor(model: ModelInternals) {
    const names = model.getDedupedMetricsNames();
    const metrics = model.metricsTensors.map(([metric]) => (isMergeable(metric) ? metric : undefined));
    let offset = 0;
    this.slots = [undefined, ...metrics].map((merge, i) => {
      const slot = { name: names[i] ?? `metric_${i}`, offset, size: merge?.size ?? 1, merge };
      offset += slot.size;
      return slot;
    });
    this.size = offset;
  }

  get names(): readonly string[] {
    return this.slots.map((slot) => slot.name);
  }

  /** Scales a replica's row means by its share of the batch's rows, in float32; sums stay. In place. */
  weigh(values: Float32Array, weight: number): void {
    if (weight === 1) return;
    for (const slot of this.slots) {
      if (!slot.merge) values[slot.offset] = (values[slot.offset] ?? NaN) * weight;
    }
  }

  /** The sums of one slot. */
  sums(slot: ValueSlot, values: Float32Array): number[] {
    return Array.from(values.subarray(slot.offset, slot.offset + slot.size));
  }

  /** The batch's logs: one number a slot. */
  read(values: Float32Array): number[] {
    return this.slots.map((slot) => (slot.merge ? slot.merge.result(this.sums(slot, values)) : (values[slot.offset] ?? NaN)));
  }
}
