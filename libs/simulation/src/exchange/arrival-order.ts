/** The planted bug SUM_IN_ARRIVAL_ORDER: contributions are added in the order in which they came. */
import { nodeNumber, type Operand, type PieceHeader, type ReductionPlan, type ReductionStep, type Slot } from '@lockstep/reduction';

export class ArrivalOrder implements ReductionPlan {
  readonly present: readonly boolean[];
  readonly registers: number;
  private readonly arrived: number[] = [];

  constructor(plan: ReductionPlan, private readonly slots: readonly Slot[], rank: number) {
    this.present = plan.present;
    this.registers = Math.max(1, plan.registers);
    slots.forEach((slot, i) => {
      if (slot.rank === rank && plan.present[i] === true) this.arrived.push(i);
    });
  }

  /** A piece has come whole. */
  note(from: number, { node }: PieceHeader): void {
    const slot = this.slots.findIndex(({ rank, root }) => rank === from && nodeNumber(root) === node);
    if (slot >= 0 && this.present[slot] === true && !this.arrived.includes(slot)) this.arrived.push(slot);
  }

  get steps(): readonly ReductionStep[] {
    const [first, ...rest] = this.arrived.map((slot): Operand => ({ kind: 'SLOT', slot }));
    if (!first) return [];
    if (rest.length === 0) return [{ kind: 'COPY', from: first }];
    return rest.map((right, i) => ({
      kind: 'ADD', right, left: i === 0 ? first : { kind: 'REGISTER', register: 0 },
      target: i === rest.length - 1 ? { kind: 'OUTPUT' } : { kind: 'REGISTER', register: 0 },
    }));
  }
}
