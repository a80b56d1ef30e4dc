import fc from 'fast-check';
import { evenPart, type Range } from './range';
import { maxRegisters, nodeNumber, planReduction, slotsOf, type Operand, type Slot } from './reduction-plan';
import { foldTree } from './tree';

const even = (replicas: number, worldSize: number): Range[] => Array.from({ length: worldSize }, (_, rank) => evenPart(replicas, worldSize, rank));

/** Magnitudes that make every order of additions give other bits. */
const leafValue = (replica: number, seed: number): number => {
  const x = Math.imul(replica + 1, 0x9e3779b1) ^ Math.imul(seed + 7, 0x85ebca6b);
  return Math.fround(((x >>> 0) / 2 ** 32 - 0.5) * 10 ** ((x >>> 5) % 9 - 4));
};

const add = (left: number, right: number): number => Math.fround(left + right);

function run(replicas: number, ranges: readonly Range[], present: readonly boolean[], leaf: (replica: number) => number): number {
  const slots = slotsOf(replicas, ranges);
  const values = slots.map(({ root }) => foldTree(root, (i) => (present[i] === true ? leaf(i) : undefined), add));
  const plan = planReduction(replicas, slots, present);
  expect(plan.present).toEqual(values.map((value) => value !== undefined));
  expect(plan.registers).toBeLessThanOrEqual(maxRegisters(replicas));
  const registers: number[] = [];
  let output: number | undefined;
  const read = (operand: Operand): number => {
    const value = operand.kind === 'SLOT' ? values[operand.slot] : registers[operand.register];
    if (value === undefined) throw new Error(`${JSON.stringify(operand)} was never written`);
    return value;
  };
  for (const step of plan.steps) {
    expect(output).toBeUndefined();
    if (step.kind === 'COPY') {
      output = read(step.from);
    } else {
      const sum = add(read(step.left), read(step.right));
      if (step.target.kind === 'OUTPUT') output = sum;
      else registers[step.target.register] = sum;
    }
  }
  expect(registers.length).toBeLessThanOrEqual(plan.registers);
  if (output === undefined) throw new Error('no output');
  return output;
}

const world = fc.integer({ min: 1, max: 33 }).chain((replicas) => fc.record({
  replicas: fc.constant(replicas),
  cuts: fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, replicas - 1) }), { maxLength: replicas - 1 }),
  order: fc.nat(),
  present: fc.array(fc.boolean(), { minLength: replicas, maxLength: replicas }),
  seed: fc.nat(),
}));

test('any ranges, in any order of ranks, with any leaves absent: the bits of the fold over all leaves', () => {
  fc.assert(fc.property(world, ({ replicas, cuts, order, present, seed }) => {
    fc.pre(present.includes(true));
    const edges = [0, ...cuts.filter((cut) => cut < replicas).sort((a, b) => a - b), replicas];
    const ranges = edges.slice(1).map((to, i) => ({ from: edges[i] ?? 0, to }));
    const turned = [...ranges.slice(order % ranges.length), ...ranges.slice(0, order % ranges.length)];
    const leaf = (replica: number): number => leafValue(replica, seed);
    const expected = foldTree({ from: 0, to: replicas }, (i) => (present[i] === true ? leaf(i) : undefined), add);
    expect(Object.is(run(replicas, turned, present, leaf), expected)).toBe(true);
  }), { numRuns: 500 });
});

test('the values do tell orders apart', () => {
  const differ = Array.from({ length: 100 }, (_, seed) => {
    const values = Array.from({ length: 8 }, (_, i) => leafValue(i, seed));
    return values.reduce(add) !== foldTree({ from: 0, to: 8 }, (i) => values[i], add);
  });
  expect(differ.filter(Boolean).length).toBeGreaterThan(30);
});

test.each([
  [4, 2, 2, 1],
  [5, 3, 4, 3],
  [8, 3, 5, 4],
  [3, 1, 1, 0],
])('%i replicas over %i members: %i slots, %i additions', (replicas, worldSize, slots, additions) => {
  const world = slotsOf(replicas, even(replicas, worldSize));
  const plan = planReduction(replicas, world, Array<boolean>(replicas).fill(true));
  expect(world).toHaveLength(slots);
  expect(plan.steps.filter(({ kind }) => kind === 'ADD')).toHaveLength(additions);
});

test('one present slot is copied, and nothing is added', () => {
  const slots: readonly Slot[] = slotsOf(4, even(4, 2));
  expect(planReduction(4, slots, [false, false, true, false]).steps).toEqual([{ kind: 'COPY', from: { kind: 'SLOT', slot: 1 } }]);
});

test.each<[string, number, Range[], boolean[], string]>([
  ['a gap', 4, [{ from: 0, to: 1 }, { from: 2, to: 4 }], [true, true, true, true], '[2, 4) follows 1'],
  ['an overlap', 4, [{ from: 0, to: 3 }, { from: 2, to: 4 }], [true, true, true, true], '[2, 4) follows 3'],
  ['an empty range', 2, [{ from: 0, to: 0 }, { from: 0, to: 2 }], [true, true], '[0, 0) follows 0'],
  ['a missing end', 4, [{ from: 0, to: 3 }], [true, true, true, true], 'cover 3 of 4'],
  ['a short mask', 2, [{ from: 0, to: 2 }], [true], 'mask of 1'],
  ['nobody present', 2, [{ from: 0, to: 2 }], [false, false], 'no logical replica has rows'],
])('%s is refused', (_title, replicas, ranges, present, message) => {
  expect(() => planReduction(replicas, slotsOf(replicas, ranges), present)).toThrow(message);
});

test('node numbers are unique', () => {
  const numbers = new Set<number>();
  for (let from = 0; from < 40; from++) for (let to = from + 1; to <= 40; to++) numbers.add(nodeNumber({ from, to }));
  expect(numbers.size).toBe((40 * 41) / 2);
});
