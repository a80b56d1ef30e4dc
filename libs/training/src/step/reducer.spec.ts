import { LocalCollective, type Collective, type Position, type Range, type Round } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { Reducer } from './reducer';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A member that owns replicas 1 and 2 of 4; its peers are played by what the test writes. */
class Middle implements Collective {
  readonly replicas = 4;
  readonly rank = 1;
  readonly worldSize = 3;
  readonly range: Range = { from: 1, to: 3 };
  readonly roots: readonly Range[] = [{ from: 1, to: 2 }, { from: 2, to: 3 }];
  readonly log: unknown[] = [];
  readonly reduced: Float32Array[] = [];
  private readonly inputs = new Map<string, Float32Array>();
  private lengths: readonly number[] = [];

  boundary(): void {}
  agree(): void {}
  begin(round: Round): void {
    this.lengths = round.bucketLengths;
    this.log.push(['begin', round.present, round.bucketLengths]);
  }
  input(bucket: number, root: number): Float32Array {
    const view = new Float32Array(new SharedArrayBuffer(4 * (this.lengths[bucket] ?? 0)));
    this.inputs.set(`${bucket}-${root}`, view);
    return view;
  }
  submit(bucket: number): void {
    this.log.push(['submit', bucket, [...this.inputs].filter(([key]) => key.startsWith(`${bucket}-`)).map(([key, view]) => [key, view.length < 10 ? [...view] : view.length])]);
  }
  wait(bucket: number): Float32Array {
    this.log.push(['wait', bucket]);
    const view = this.reduced[bucket] ?? new Float32Array(new SharedArrayBuffer(4 * (this.lengths[bucket] ?? 0))).fill(bucket + 0.5);
    this.reduced[bucket] = view;
    return view;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

const POSITION: Position = { call: 0, epoch: 0, phase: 'TRAIN', step: 0 };

test('a member ships the sums over its present subtree roots, and takes the group\'s', () => {
  const group = new Middle();
  const big = (1 << 20) - 1;
  const sum = new Reducer(tf, group).reduce(POSITION, { tensorShapes: [[2], [big]], tailLength: 3, borrowedTensors: 0 }, [true, false, true, true], (replica) => ({
    tensors: [tf.keep(tf.fill([2], replica)), tf.keep(tf.fill([big], replica))],
    tail: Float32Array.of(replica, 0, 1),
  }));
  expect(group.log).toEqual([
    ['begin', [true, false, true, true], [2, big, 3]],
    ['submit', 0, [['0-1', [2, 2]]]],
    ['submit', 1, [['1-1', big]]],
    ['submit', 2, [['2-1', [2, 0, 1]]]],
    ['wait', 0], ['wait', 1], ['wait', 2],
  ]);
  expect(sum.tensors.map((tensor) => [tensor.shape, tensor.dataSync()[0]])).toEqual([[[2], 0.5], [[big], 1.5]]);
  expect([...sum.tail]).toEqual([2.5, 2.5, 2.5]);
});

test('borrowed tensors are read where the group reduced them, the others are copies', () => {
  const group = new Middle();
  const sum = new Reducer(tf, group).reduce(POSITION, { tensorShapes: [[2], [2]], tailLength: 1, borrowedTensors: 1 }, [true, true, true, true], () => ({
    tensors: [tf.keep(tf.fill([2], 1)), tf.keep(tf.fill([2], 1))],
    tail: Float32Array.of(1),
  }));
  // The next round reduces into the same memory.
  group.reduced.forEach((view) => view.fill(9));
  expect(sum.tensors.map((tensor) => [...tensor.dataSync()])).toEqual([[9, 9], [0.5, 0.5]]);
  expect([...sum.tail]).toEqual([0.5]);
});

test('replicas are added along the canonical tree, in float32', () => {
  const values = [1, 2 ** -24, 2 ** -24, -1, 3];
  const sum = new Reducer(tf, new LocalCollective(5)).reduce(POSITION, { tensorShapes: [[]], tailLength: 1, borrowedTensors: 0 }, [true, true, true, true, true], (replica) => ({
    tensors: [tf.keep(tf.scalar(values[replica] ?? NaN))],
    tail: Float32Array.of(values[replica] ?? NaN),
  }));
  const f32 = Math.fround;
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = values;
  // Nodes of 5 leaves: ((0 1) 2) (3 4).
  const expected = f32(f32(f32(a + b) + c) + f32(d + e));
  expect(sum.tensors[0]?.dataSync()[0]).toBe(expected);
  expect(sum.tail[0]).toBe(expected);
});

test('what was computed is freed when a later replica throws', () => {
  const before = tf.memory().numTensors;
  const reduce = (): unknown =>
    new Reducer(tf, new LocalCollective(4)).reduce(POSITION, { tensorShapes: [[]], tailLength: 0, borrowedTensors: 0 }, [true, true, true, true], (replica) => {
      if (replica === 3) throw new Error('no memory');
      return { tensors: [tf.keep(tf.scalar(replica))], tail: new Float32Array(0) };
    });
  expect(reduce).toThrow('no memory');
  expect(tf.memory().numTensors).toBe(before);
});
