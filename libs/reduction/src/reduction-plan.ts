/**
 * The order of additions that finishes the canonical tree from what the members ship.
 *
 * 1. A slot is a subtree root that one member holds; slots are numbered by rank, then from left to right.
 * 2. The additions are those of `foldTree`, so the bits depend neither on the ranges nor on the order of arrival.
 * 3. A slot without rows is skipped, never added as zero.
 * 4. The last step writes the output; no step reads it, and none writes a slot.
 */
import type { Range } from './range';
import { foldTree, subtreeRoots } from './tree';

/** A subtree root and the member that ships its sum. */
export interface Slot {
  readonly rank: number;
  readonly root: Range;
  /** Index among the roots of its member. */
  readonly index: number;
}

/** Where a value lies: in a slot, or in a register that an earlier step wrote. */
export type Operand = { readonly kind: 'SLOT'; readonly slot: number } | { readonly kind: 'REGISTER'; readonly register: number };

export type StepTarget = { readonly kind: 'REGISTER'; readonly register: number } | { readonly kind: 'OUTPUT' };

export type ReductionStep =
  /** Only one slot has rows: its value is the sum. Writes the output. */
  | { readonly kind: 'COPY'; readonly from: Operand }
  | { readonly kind: 'ADD'; readonly left: Operand; readonly right: Operand; readonly target: StepTarget };

export interface ReductionPlan {
  /** For each slot, whether it has rows. */
  readonly present: readonly boolean[];
  readonly steps: readonly ReductionStep[];
  /** Registers that the steps need beside slots and output; at most the depth of the tree. */
  readonly registers: number;
}

/**
 * The slots of a world.
 *
 * @param ranges by rank; together they cover [0, replicas) once
 * @throws RangeError when they do not
 */
export function slotsOf(replicas: number, ranges: readonly Range[]): readonly Slot[] {
  const sorted = [...ranges].sort((a, b) => a.from - b.from);
  let covered = 0;
  for (const { from, to } of sorted) {
    if (from !== covered || to <= from) throw new RangeError(`ranges do not cut ${replicas} logical replicas: [${from}, ${to}) follows ${covered}`);
    covered = to;
  }
  if (covered !== replicas) throw new RangeError(`ranges cover ${covered} of ${replicas} logical replicas`);
  return ranges.flatMap((range, rank) => subtreeRoots(replicas, range).map((root, index) => ({ rank, root, index })));
}

/**
 * @param present for each logical replica, whether it has rows
 * @throws RangeError when no replica has rows, or the mask is not as long as there are replicas
 */
export function planReduction(replicas: number, slots: readonly Slot[], present: readonly boolean[]): ReductionPlan {
  if (present.length !== replicas) throw new RangeError(`a presence mask of ${present.length} for ${replicas} logical replicas`);
  const slotPresent = slots.map(({ root }) => present.slice(root.from, root.to).includes(true));
  const slotOfRoot = new Map(slots.map(({ root }, slot) => [`${root.from}:${root.to}`, slot]));
  const adds: { left: Operand; right: Operand; register: number }[] = [];
  const registers = new RegisterFile();

  const result = foldTree<Operand>(
    { from: 0, to: replicas },
    (leaf) => { throw new RangeError(`logical replica ${leaf} is in no slot`); },
    (left, right) => {
      registers.release(left);
      registers.release(right);
      const register = registers.acquire();
      adds.push({ left, right, register });
      return { kind: 'REGISTER', register };
    },
    (node) => {
      const slot = slotOfRoot.get(`${node.from}:${node.to}`);
      return slot === undefined ? undefined : { value: slotPresent[slot] === true ? { kind: 'SLOT', slot } : undefined };
    },
  );
  if (result === undefined) throw new RangeError('no logical replica has rows: there is nothing to reduce');
  const steps: readonly ReductionStep[] = result.kind === 'SLOT'
    ? [{ kind: 'COPY', from: result }]
    : adds.map(({ left, right, register }, i) => ({
      kind: 'ADD', left, right, target: i === adds.length - 1 ? { kind: 'OUTPUT' } : { kind: 'REGISTER', register },
    }));
  return { present: slotPresent, steps, registers: adds.length > 1 ? registers.size : 0 };
}

/** A bound on the registers of any plan over a tree of `replicas` leaves: its depth. */
export const maxRegisters = (replicas: number): number => Math.ceil(Math.log2(Math.max(1, replicas)));

/** Numbers of the canonical tree's nodes on the wire: from * 65536 + to. */
export const nodeNumber = (node: Range): number => node.from * 0x10000 + node.to;

/** Largest V that node numbers can name. */
export const MAX_REPLICAS = 0xfffe;

class RegisterFile {
  private readonly free: number[] = [];
  size = 0;

  acquire(): number {
    return this.free.pop() ?? this.size++;
  }

  release(operand: Operand): void {
    if (operand.kind === 'REGISTER') this.free.push(operand.register);
  }
}
