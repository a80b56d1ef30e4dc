import { createHash } from 'node:crypto';
import { ExamplesError } from '../examples-error';

/** Shares of the splits, by name; they need not add up to 1. */
export type SplitShares = Readonly<Record<string, number>>;

const SPLIT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/**
 * Chooses a split for each record by the SHA-256 of the seed and the record: the choice depends neither on the order of
 * the rows nor on the others, and equal rows never lie on both sides of a split.
 *
 * @throws ExamplesError BAD_ARGUMENT
 */
export function splitChooser(shares: SplitShares, seed: number): (record: Uint8Array) => string {
  const entries = Object.entries(shares);
  if (entries.length === 0) throw new ExamplesError('BAD_ARGUMENT', 'at least one split is needed, like {train: 0.8, eval: 0.2}');
  for (const [name, share] of entries) {
    if (!SPLIT_NAME.test(name)) throw new ExamplesError('BAD_ARGUMENT', `'${name}' is no name for a split: use letters, digits, - and _`);
    if (!Number.isFinite(share) || share <= 0) throw new ExamplesError('BAD_ARGUMENT', `the share of split ${name} must be a positive number, not ${share}`);
  }
  if (!Number.isSafeInteger(seed)) throw new ExamplesError('BAD_ARGUMENT', `the seed must be an integer, not ${seed}`);
  const total = entries.reduce((sum, [, share]) => sum + share, 0);
  let sum = 0;
  const bounds = entries.map(([name, share]) => ({ name, end: (sum += share) / total }));
  const last = bounds[bounds.length - 1]?.name ?? '';
  return (record) => {
    const digest = createHash('sha256').update(`split ${seed}\n`).update(record).digest();
    const point = digest.readUIntBE(0, 6) / 2 ** 48;
    // Rounding may leave the last bound a little below 1.
    return bounds.find(({ end }) => point < end)?.name ?? last;
  };
}
