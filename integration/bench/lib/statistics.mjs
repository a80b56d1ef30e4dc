/** The value below which a share of the samples lies, interpolated between neighbours; `share` from 0 to 1. */
export function quantile(samples, share) {
  if (samples.length === 0) throw new RangeError('a quantile of no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/** Median with the spread from the 10th to the 90th percentile. */
export const summarize = (samples) => ({ median: quantile(samples, 0.5), p10: quantile(samples, 0.1), p90: quantile(samples, 0.9) });
