import { RoundPlanner, type ExchangeConstants, type Range } from '@lockstep/reduction';

/** The planners of a run: generations repeat, and so do their plans. */
export class Plans {
  private readonly planners = new Map<string, RoundPlanner>();

  /** @param ranges by rank: even cuts, so that their number says them */
  planner(replicas: number, ranges: readonly Range[], rank: number, constants: ExchangeConstants): RoundPlanner {
    const key = `${replicas}:${ranges.length}:${rank}`;
    const planner = this.planners.get(key) ?? new RoundPlanner(replicas, ranges, rank, constants);
    this.planners.set(key, planner);
    return planner;
  }
}
