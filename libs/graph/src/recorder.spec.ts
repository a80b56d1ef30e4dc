import type { Rank, Tensor } from '@tensorflow/tfjs';
import type { RefusalReason } from './graph-error';
import { nativeBackend } from './native-backend';
import { record } from './recorder';
import type { NamedTensor, RecordedNode } from './recording';
import { describeNative } from './testing/native';

describeNative('record', (tf) => {
  beforeEach(() => tf.setBackend('tensorflow'));
  const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const ids = tf.tensor1d([0, 1], 'int32');
  const named = (name: string, tensor: Tensor): NamedTensor => ({ name, tensor });
  const inputs = [named('x', x), named('ids', ids)];
  const weight = tf.variable(tf.tensor2d([1, 0, 0, 1], [2, 2]), true, 'recorder/weight');
  const kinds = (nodes: readonly RecordedNode[]): readonly string[] => nodes.map((node) => (node.kind === 'OPERATION' ? node.op : node.kind));

  it('records operations, inputs, variables and constants in the order of their use', () => {
    const { nodes, outputs, refusals } = record(tf, [named('x', x)], () => [named('y', tf.add(tf.matMul(x, weight), 2))]);
    expect(refusals).toEqual([]);
    expect(kinds(nodes)).toEqual(['INPUT', 'VARIABLE', 'BatchMatMulV2', 'CONSTANT', 'Add']);
    expect(nodes.map(({ name }) => name)).toEqual(['input_0', 'Variable_1', 'BatchMatMulV2_2', 'Const_3', 'Add_4']);
    expect(outputs).toEqual([{ name: 'y', source: nodes.at(-1)?.name, dtype: 1, shape: [2, 2] }]);
  });

  it('gives equal recordings of equal calls', () => {
    const run = (): readonly NamedTensor[] => [named('y', tf.softmax(tf.matMul(x, weight)))];
    const first = record(tf, [named('x', x)], run);
    tf.dispose(tf.ones([7]));
    expect(record(tf, [named('x', x)], run)).toEqual(first);
  });

  test.each<{ reason: RefusalReason | 'none'; when: string; run: () => readonly NamedTensor[]; given?: readonly NamedTensor[] }>([
    { reason: 'none', when: 'a gather checks its indices', run: () => [named('y', tf.gather(x, ids))] },
    { reason: 'none', when: 'JavaScript reads a constant', run: () => [named('y', tf.add(x, tf.range(0, 3).sum().dataSync()[0] ?? 0))] },
    { reason: 'none', when: 'an output is a constant', run: () => [named('y', tf.ones([2]))] },
    { reason: 'none', when: 'an output is an input', run: () => [named('y', x)] },
    { reason: 'READ_OF_TRACED_VALUE', when: 'JavaScript reads an input', run: () => [named('y', tf.add(x, x.dataSync()[0] ?? 0))] },
    { reason: 'READ_OF_TRACED_VALUE', when: 'JavaScript reads a result', run: () => [named('y', x.sum().arraySync() === 10 ? x : x.neg())] },
    { reason: 'READ_OF_TRACED_VALUE', when: 'JavaScript reads a variable', run: () => [named('y', tf.add(x, weight.dataSync()[0] ?? 0))] },
    { reason: 'READ_OF_TRACED_VALUE', when: 'JavaScript reads indices before a gather reads them', run: () => [named('y', tf.gather(x, ids.dataSync()[0] === 0 ? ids : tf.neg(ids)))] },
    { reason: 'READ_OF_TRACED_VALUE', when: 'the last thing is a read', run: () => { const y = x.sum(); y.dataSync(); return [named('y', y)]; } },
    { reason: 'RANDOM_OP', when: 'TensorFlow draws', run: () => [named('y', tf.multinomial(tf.ones<Rank.R1>([3]), 2, 7))] },
    { reason: 'ALIASED_INPUTS', when: 'one tensor is two inputs', run: () => [named('y', x.add(x))], given: [named('a', x), named('b', x)] },
    { reason: 'ALIASED_INPUTS', when: 'a clone is a second input', run: () => [named('y', x.neg())], given: [named('a', x), named('b', x.clone())] },
    { reason: 'VARIABLE_ASSIGNED', when: 'it assigns', run: () => { weight.assign(tf.zeros([2, 2])); return [named('y', x.matMul(weight))]; } },
    { reason: 'ASYNC_FUNCTION', when: 'it returns a promise', run: (() => Promise.resolve([])) as unknown as () => readonly NamedTensor[] },
  ])('$reason: $when', ({ reason, run, given }) => {
    const { refusals } = record(tf, given ?? inputs, run);
    expect(refusals.map((refusal) => refusal.reason)).toEqual(reason === 'none' ? [] : [reason]);
    expect([...weight.dataSync()]).toEqual([1, 0, 0, 1]);
  });

  it('refuses an operation that it does not know', () => {
    const backend = nativeBackend(tf);
    const type = { name: 'T', type: backend.binding.TF_ATTR_TYPE, value: 1 };
    const { refusals } = record(tf, inputs, () => [named('y', backend.executeSingleOutput('Lgamma', [type], [x]))]);
    expect(refusals.map(({ reason }) => reason)).toEqual(['UNKNOWN_OP']);
    expect(refusals[0]?.detail).toContain('Lgamma');
  });

  it('tells two variables with one value apart, and keeps their values', () => {
    const a = tf.variable(tf.tensor1d([1, 2]), true, 'recorder/a');
    const b = tf.variable(tf.tensor1d([0, 0]), true, 'recorder/b');
    b.assign(a.clone());
    const { nodes } = record(tf, [], () => [named('y', a.add(b))]);
    expect(nodes.flatMap((node) => (node.kind === 'VARIABLE' ? [node.variable.name] : []))).toEqual(['recorder/a', 'recorder/b']);
    expect([...b.dataSync()]).toEqual([1, 2]);
  });

  it('puts everything back when the function throws', () => {
    const backend = nativeBackend(tf);
    const { binding } = backend;
    const before = tf.memory().numTensors;
    expect(() => record(tf, [named('x', x)], () => {
      weight.assign(tf.zeros([2, 2]));
      throw new Error('mine');
    })).toThrow('mine');
    expect(backend.binding).toBe(binding);
    expect(Object.hasOwn(backend, 'getInputTensorIds')).toBe(false);
    expect([...weight.dataSync()]).toEqual([1, 0, 0, 1]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
