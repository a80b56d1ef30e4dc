import { planReduction, slotsOf, type Range, type ReductionPlan, type Slot } from '@lockstep/reduction';

/** What all members of a generation plan alike: libs/reduction's plans, computed once a run. */
export class Plans {
  private readonly slots = new Map<string, readonly Slot[]>();
  private readonly plans = new Map<string, ReductionPlan>();

  slotsOf(replicas: number, ranges: readonly Range[]): readonly Slot[] {
    const key = `${replicas}:${ranges.length}`;
    const slots = this.slots.get(key) ?? slotsOf(replicas, ranges);
    this.slots.set(key, slots);
    return slots;
  }

  plan(replicas: number, worldSize: number, slots: readonly Slot[], present: readonly boolean[]): ReductionPlan {
    const key = `${replicas}:${worldSize}:${present.map(Number).join('')}`;
    const plan = this.plans.get(key) ?? planReduction(replicas, slots, present);
    this.plans.set(key, plan);
    return plan;
  }
}
