/** Half-open range of integers [from, to). */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const rangeLength = (range: Range): number => range.to - range.from;

export const containsRange = (outer: Range, inner: Range): boolean => outer.from <= inner.from && inner.to <= outer.to;

/**
 * Cuts [0, total) into `parts` contiguous ranges whose lengths differ by at most one; the same cut deals rows to
 * logical replicas and logical replicas to workers.
 *
 * @throws RangeError when `index` is not one of the parts.
 */
export function evenPart(total: number, parts: number, index: number): Range {
  if (!Number.isInteger(index) || index < 0 || index >= parts) {
    throw new RangeError(`part ${index} of ${parts} does not exist`);
  }
  return { from: Math.floor((index * total) / parts), to: Math.floor(((index + 1) * total) / parts) };
}
