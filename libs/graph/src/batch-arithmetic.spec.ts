import fc from 'fast-check';
import { BatchArithmetic } from './batch-arithmetic';
import { DataType } from './data-type';
import type { GraphNode, TensorValue } from './graph-def';

const SIZES = [3, 5, 7] as const;
const make = (): BatchArithmetic => new BatchArithmetic(SIZES, 'scope', 'scope/input_0', DataType.FLOAT);

const int32s = (value: TensorValue): readonly number[] => {
  if (value.values.kind !== 'BYTES') throw new Error('not integers');
  const { bytes } = value.values;
  return [...new Int32Array(bytes.slice().buffer)];
};

/** Evaluates the nodes as TensorFlow defines them, for an input with the given batch size. */
function evaluate(nodes: readonly GraphNode[], name: string, batch: number): readonly number[] {
  const values = new Map<string, readonly number[]>([['scope/input_0', [batch]]]);
  for (const { name: at, op, inputs, attrs } of nodes) {
    const [a = [], b = []] = inputs.map((input) => {
      const value = values.get(input);
      if (value === undefined) throw new Error(`${at} comes before its input ${input}`);
      return value;
    });
    switch (op) {
      case 'Const': {
        const value = attrs['value'];
        if (value?.kind !== 'tensor') throw new Error('a Const without a value');
        values.set(at, int32s(value.value));
        break;
      }
      case 'Shape': values.set(at, [batch, 99]); break;
      case 'StridedSlice': values.set(at, a.slice(b[0], b[0] === 0 ? 1 : undefined)); break;
      case 'Mul': values.set(at, [(a[0] ?? NaN) * (b[0] ?? NaN)]); break;
      case 'AddV2': values.set(at, [(a[0] ?? NaN) + (b[0] ?? NaN)]); break;
      case 'Pack': values.set(at, inputs.flatMap((input) => values.get(input) ?? [])); break;
      case 'Identity':
      case 'Cast': values.set(at, a); break;
      case 'Fill': values.set(at, Array<number>(a.reduce((x, y) => x * y, 1)).fill(b[0] ?? NaN)); break;
      default: throw new Error(`unexpected ${op}`);
    }
  }
  return values.get(name) ?? [];
}

const line = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -1000, max: 1000 }));

describe('BatchArithmetic', () => {
  it('computes every m * batch + q', () => {
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 4096 }), fc.constantFrom(DataType.INT32, DataType.FLOAT), (lines, batch, dtype) => {
      const arithmetic = make();
      const at = (size: number): readonly number[] => lines.map(([m, q]) => m * size + q);
      const nodes = arithmetic.vector('x', [at(3), at(5), at(7)], [lines.length], dtype);
      expect(evaluate([...arithmetic.prelude(), ...(nodes ?? [])], 'x', batch)).toEqual(at(batch));
    }));
  });

  it('computes a scalar', () => {
    const arithmetic = make();
    const nodes = arithmetic.vector('x', [[7], [11], [15]], [], DataType.INT32);
    expect(evaluate([...arithmetic.prelude(), ...(nodes ?? [])], 'x', 100)).toEqual([201]);
  });

  it('fills a tensor', () => {
    const arithmetic = make();
    const value: TensorValue = { dtype: DataType.INT32, shape: [], values: { kind: 'BYTES', bytes: new Uint8Array([9, 0, 0, 0]) } };
    const nodes = arithmetic.fill('x', [[3, 2], [5, 2], [7, 2]], value);
    expect(evaluate([...arithmetic.prelude(), ...(nodes ?? [])], 'x', 4)).toEqual(Array(8).fill(9));
  });

  test.each([
    ['a square', [9], [25], [49]],
    ['a fraction of the batch', [1], [2], [3.5]],
    ['half of it, rounded', [1], [2], [4]],
    ['one of two elements', [3, 9], [5, 25], [7, 49]],
    ['vectors of other lengths', [3], [5, 5], [7]],
  ])('does not solve %s', (_title, a, b, c) => {
    expect(make().vector('x', [a, b, c], [a.length], DataType.INT32)).toBeUndefined();
  });

  it('reads the batch size only when something follows it', () => {
    const arithmetic = make();
    arithmetic.vector('x', [[1, 2], [1, 2], [1, 2]], [2], DataType.INT32);
    expect(arithmetic.prelude()).toEqual([]);
  });
});
