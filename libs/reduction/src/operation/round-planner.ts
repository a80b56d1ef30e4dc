import { plannedTraffic, type ExchangeConstants, type Traffic } from '../planned-traffic';
import type { Range } from '../range';
import { planReduction, slotsOf, type ReductionPlan, type Slot } from '../reduction-plan';
import { placeRound, type AreaSizes, type RoundPlace, type RoundShape } from './arena-layout';

/** Results that are kept: a training loop alternates between few kinds of rounds. */
const MAX_KEPT = 16;

/**
 * Plans rounds of one member of one generation. Each thread has its own; both come to the same addresses.
 * Rounds repeat, and plans depend on lengths, presence and areas alone, so results are kept.
 */
export class RoundPlanner {
  readonly slots: readonly Slot[];
  private readonly places = new Map<string, { readonly place: RoundPlace; readonly needs: AreaSizes }>();
  private readonly plans = new Map<string, ReductionPlan>();
  private readonly traffics = new Map<string, Traffic>();

  /** @param ranges by rank */
  constructor(
    private readonly replicas: number,
    private readonly ranges: readonly Range[],
    private readonly rank: number,
    readonly constants: ExchangeConstants,
  ) {
    this.slots = slotsOf(replicas, ranges);
  }

  /** Where a round lies in areas of the given sizes, and what sizes it needs. */
  place(bucketLengths: readonly number[], areas: AreaSizes): { readonly place: RoundPlace; readonly needs: AreaSizes } {
    const key = `${bucketLengths.join()}@${areas.flagsBytes},${areas.inputBytes},${areas.outputBytes},${areas.scratchBytes}`;
    return remember(this.places, key, () => placeRound(this.shape(bucketLengths), areas));
  }

  /** The additions for a presence mask. */
  plan(present: readonly boolean[]): ReductionPlan {
    return remember(this.plans, maskKey(present), () => planReduction(this.replicas, this.slots, present));
  }

  /** What the round must move. */
  traffic(bucketLengths: readonly number[], present: readonly boolean[]): Traffic {
    return remember(this.traffics, `${bucketLengths.join()}@${maskKey(present)}`, () =>
      plannedTraffic(this.constants, this.ranges.length, this.rank, this.slots, this.plan(present).present, bucketLengths));
  }

  private shape(bucketLengths: readonly number[]): RoundShape {
    return { bucketLengths, replicas: this.replicas, worldSize: this.ranges.length, rank: this.rank, slots: this.slots, constants: this.constants };
  }
}

const maskKey = (present: readonly boolean[]): string => present.map(Number).join('');

function remember<T>(kept: Map<string, T>, key: string, make: () => T): T {
  const found = kept.get(key);
  if (found !== undefined) return found;
  const made = make();
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, made);
  return made;
}
