import { DataType } from './data-type';
import type { TensorValue, TensorValues } from './graph-def';
import type { RefusalReason } from './graph-error';
import type { RecordedNode, Recording } from './recording';
import { generalize } from './unknown-batch';

const float = (shape: readonly number[], values: readonly number[]): TensorValue =>
  ({ dtype: DataType.FLOAT, shape, values: { kind: 'BYTES', bytes: new Uint8Array(Float32Array.from(values).buffer) } });
const int = (shape: readonly number[], values: readonly number[]): TensorValue =>
  ({ dtype: DataType.INT32, shape, values: { kind: 'BYTES', bytes: new Uint8Array(Int32Array.from(values).buffer) } });
const strings = (...values: readonly string[]): TensorValue => {
  const encoded: TensorValues = { kind: 'STRINGS', strings: values.map((value) => new TextEncoder().encode(value)) };
  return { dtype: DataType.STRING, shape: [values.length], values: encoded };
};

/** Input, a constant, an operation that nobody uses, and one that is the output. */
function recording(batch: number, constant: TensorValue, op = 'Mul'): Recording {
  const outputs = [{ dtype: DataType.FLOAT, shape: [batch, 2] }];
  const nodes: readonly RecordedNode[] = [
    { kind: 'INPUT', name: 'input_0', key: 'x', dtype: DataType.FLOAT, shape: [batch, 2] },
    { kind: 'CONSTANT', name: 'Const_1', value: constant },
    { kind: 'OPERATION', name: 'Neg_2', op: 'Neg', inputs: ['input_0'], attrs: {}, outputs },
    { kind: 'OPERATION', name: `${op}_3`, op, inputs: ['input_0', 'Const_1'], attrs: {}, outputs },
  ];
  return { nodes, outputs: [{ name: 'y', source: `${op}_3`, dtype: DataType.FLOAT, shape: [batch, 2] }], refusals: [] };
}

type At = (batch: number) => TensorValue;
const placement = { scope: 's', batchNode: 's/input_0', batchNodeType: DataType.FLOAT, readNode: () => 'v' };
const run = (at: At, again: At = at, op: (batch: number) => string = () => 'Mul'): ReturnType<typeof generalize> => generalize({
  batchSizes: [3, 5, 7],
  recordings: [recording(3, at(3), op(3)), recording(5, at(5), op(5)), recording(7, at(7), op(7))],
  repeated: recording(3, again(3), op(3)),
}, placement);

const splat = (batch: number, value: number): TensorValue => float([batch, 2], Array<number>(batch * 2).fill(value));

describe('generalize', () => {
  test.each<{ title: string; at: At; op: string }>([
    { title: 'an equal constant stays one', at: () => float([2], [1, 2]), op: 'Const' },
    { title: 'a large one with one value becomes a Fill', at: () => float([64], Array<number>(64).fill(0)), op: 'Fill' },
    { title: 'a large one with two values does not', at: () => float([64], [1, ...Array<number>(63).fill(0)]), op: 'Const' },
    { title: 'zero and minus zero are two values', at: () => float([64], [-0, ...Array<number>(63).fill(0)]), op: 'Const' },
    { title: 'a shape is packed', at: (b) => int([2], [b * 4, -1]), op: 'Pack' },
    { title: 'a count is computed', at: (b) => int([], [2 * b + 1]), op: 'Identity' },
    { title: 'a count as a float is cast', at: (b) => float([], [b]), op: 'Cast' },
    { title: 'a state of zeros is filled', at: (b) => splat(b, 0), op: 'Fill' },
    { title: 'strings are filled', at: (b) => strings(...Array<string>(b).fill('x')), op: 'Fill' },
  ])('$title', ({ at, op }) => {
    const { nodes, refusals } = run(at);
    expect(refusals).toEqual([]);
    expect(nodes.find(({ name }) => name === 's/Const_1')?.op).toBe(op);
    // A node comes after its inputs, and nothing is missing.
    nodes.forEach(({ inputs }, i) => {
      const before = ['s/input_0', ...nodes.slice(0, i).map(({ name }) => name)];
      expect(before).toEqual(expect.arrayContaining([...inputs]));
    });
  });

  test.each<{ reason: RefusalReason; when: string; at: At; again?: At; op?: (batch: number) => string }>([
    { reason: 'BATCH_DEPENDENT_VALUE', when: 'a float follows the batch', at: (b) => float([], [1 / b]) },
    { reason: 'BATCH_DEPENDENT_VALUE', when: 'a filled value follows the batch', at: (b) => splat(b, b) },
    { reason: 'BATCH_DEPENDENT_VALUE', when: 'a table grows with the batch', at: (b) => float([b], Array.from({ length: b }, (_, i) => i)) },
    { reason: 'BATCH_DEPENDENT_VALUE', when: 'a matrix of integers follows the batch', at: (b) => int([1, 1], [b]) },
    { reason: 'BATCH_DEPENDENT_VALUE', when: 'a string follows the batch', at: (b) => strings(String(b)) },
    { reason: 'BATCH_DEPENDENT_STRUCTURE', when: 'the operation follows the batch', at: () => float([], [1]), op: (b) => (b > 3 ? 'Mul' : 'Add') },
    { reason: 'BATCH_DEPENDENT_STRUCTURE', when: 'the rank follows the batch', at: (b) => float(b > 3 ? [1] : [], [1]) },
    { reason: 'NOT_REPEATABLE', when: 'a second call gives another constant', at: () => float([], [1]), again: () => float([], [2]) },
    { reason: 'NOT_REPEATABLE', when: 'a second call gives another integer', at: () => int([], [1]), again: () => int([], [2]) },
  ])('refuses with $reason when $when', ({ reason, at, again, op }) => {
    expect(run(at, again, op).refusals.map((refusal) => refusal.reason)).toEqual([reason]);
  });

  it('leaves out what no output depends on, and marks the dimension that follows the batch', () => {
    const { nodes, outputs } = run(() => float([], [1]));
    expect(nodes.map(({ name }) => name)).toEqual(['s/Const_1', 's/Mul_3']);
    expect(outputs).toEqual([{ name: 'y', tensor: 's/Mul_3:0', dtype: DataType.FLOAT, shape: [-1, 2] }]);
  });
});
