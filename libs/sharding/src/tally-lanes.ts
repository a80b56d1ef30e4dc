/**
 * A tally as float32 elements that an all-reduce adds up exactly.
 *
 * 1. Record count and sum are cut into bytes, one an element. Up to 2^16 bytes add up to less than 2^24, and below that
 *    float32 holds every integer: so in whatever order they are added, nothing is rounded.
 * 2. What the elements add up to is the tally of all of it: carries are taken when it is read, modulo 2^64.
 */
import { ShardingError } from './sharding-error';
import type { TallySummary } from './visit-tally';

const COUNT_LANES = 4;
const SUM_LANES = 8;

/** Elements of a tally. */
export const TALLY_LANES = COUNT_LANES + SUM_LANES;

/** Tallies that may be added up: more logical replicas than a job can have. */
export const MAX_TALLIES = 2 ** 16;

/** The largest sum of a lane. */
const MAX_LANE = MAX_TALLIES * 255;

/**
 * Writes a tally of less than 2^32 records.
 *
 * @param lanes of TALLY_LANES elements
 * @throws ShardingError BAD_ARGUMENT
 */
export function writeTally({ records, sum }: TallySummary, lanes: Float32Array): void {
  if (!Number.isInteger(records) || records < 0 || records >= 2 ** (8 * COUNT_LANES) || lanes.length !== TALLY_LANES) {
    throw new ShardingError('BAD_ARGUMENT', `a tally of ${records} records does not fit into ${lanes.length} lanes`);
  }
  const [low, high] = [Number(BigInt.asUintN(32, sum)), Number(BigInt.asUintN(32, sum >> 32n))];
  for (let i = 0; i < 4; i++) {
    lanes[i] = (records >>> (8 * i)) & 255;
    lanes[COUNT_LANES + i] = (low >>> (8 * i)) & 255;
    lanes[COUNT_LANES + 4 + i] = (high >>> (8 * i)) & 255;
  }
}

/**
 * Reads what up to MAX_TALLIES tallies added up to.
 *
 * @throws ShardingError BAD_ARGUMENT when the lanes are no sum of tallies: they were rounded, or damaged
 */
export function readTally(lanes: ArrayLike<number>): TallySummary {
  let records = 0;
  let sum = 0n;
  for (let i = TALLY_LANES - 1; i >= 0; i--) {
    const lane = lanes[i];
    if (lane === undefined || !Number.isInteger(lane) || lane < 0 || lane > MAX_LANE) {
      throw new ShardingError('BAD_ARGUMENT', `lane ${i} of a tally is ${lane}: it must be a sum of bytes, added up without rounding`);
    }
    if (i < COUNT_LANES) records = records * 256 + lane;
    else sum = (sum << 8n) + BigInt(lane);
  }
  return { records, sum: BigInt.asUintN(64, sum) };
}
