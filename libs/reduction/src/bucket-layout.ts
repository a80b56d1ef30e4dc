/**
 * Named parts packed into flat float32 buckets.
 *
 * 1. Parts keep their order; none is split, so a part larger than a bucket gets a bucket of its own.
 * 2. Every part starts at a multiple of 8 bytes: copies between shared and ordinary memory are several times faster
 *    when source and target agree modulo 8. The element that may lie between two parts belongs to nobody.
 * 3. The layout depends on its arguments alone, so that all members of a group have the same.
 */

/** Elements to which offsets are rounded up: 8 bytes. */
const ALIGNMENT_ELEMENTS = 2;

/** A tensor or a vector of sums that takes part in an all-reduce. */
export interface Part {
  readonly name: string;
  /** Elements. */
  readonly length: number;
}

/** A part where it lies. */
export interface PlacedPart extends Part {
  readonly bucket: number;
  /** Where it starts in its bucket, in elements. */
  readonly offset: number;
}

/** Which part lies where. */
export interface BucketLayout {
  /** Elements of each bucket. */
  readonly lengths: readonly number[];
  /** In the order given. */
  readonly parts: readonly PlacedPart[];
}

/**
 * Packs parts into buckets of at most `bucketBytes`: small tensors share a bucket, so that they share a round trip.
 *
 * @throws RangeError for a bucket size below one element, a length that is no count, or two parts of one name.
 */
export function layoutBuckets(parts: readonly Part[], bucketBytes: number): BucketLayout {
  const limit = Math.floor(bucketBytes / Float32Array.BYTES_PER_ELEMENT);
  if (!(limit >= 1)) throw new RangeError(`a bucket of ${bucketBytes} bytes holds no element`);
  const lengths: number[] = [];
  const placed: PlacedPart[] = [];
  const names = new Set<string>();
  let filled = 0;
  for (const { name, length } of parts) {
    if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`part ${name} has ${length} elements`);
    if (names.has(name)) throw new RangeError(`two parts are called ${name}`);
    names.add(name);
    let offset = Math.ceil(filled / ALIGNMENT_ELEMENTS) * ALIGNMENT_ELEMENTS;
    if (lengths.length === 0 || (filled > 0 && offset + length > limit)) {
      lengths.push(0);
      offset = 0;
    }
    filled = offset + length;
    lengths[lengths.length - 1] = filled;
    placed.push({ name, length, bucket: lengths.length - 1, offset });
  }
  return { lengths, parts: placed };
}
