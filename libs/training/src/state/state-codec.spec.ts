import { PHASES } from '@lockstep/reduction';
import fc from 'fast-check';
import { StateError, type StateErrorReason } from '../errors';
import { FIT_STAGES } from '../fit/run';
import { decodeState, DTYPE_BYTES, encodeState, stateDigest } from './state-codec';
import { checkStateOfJob, type StateDtype, type StateSnapshot, type StateTensor } from './training-state';

const anyNumber = fc.oneof(fc.double(), fc.constantFrom(-0, NaN, Infinity));
const natural = fc.nat({ max: 1e6 });
const totals = fc.array(fc.array(anyNumber, { maxLength: 3 }), { maxLength: 3 });
const tensor = fc
  .record({ name: fc.string(), dtype: fc.constantFrom(...(Object.keys(DTYPE_BYTES) as StateDtype[])), shape: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }) })
  .chain((head) => {
    const sizeBytes = head.shape.reduce((size, dimension) => size * dimension, DTYPE_BYTES[head.dtype]);
    return fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }).map((data) => ({ ...head, data }));
  });
const firstElement = fc.option(fc.string());
const evaluation = fc.record({ step: natural, rows: natural, totals, firstElement });
const run = fc.record({
  stage: fc.constantFrom(...FIT_STAGES),
  lastBatch: fc.option(fc.record({
    rows: natural, values: fc.array(anyNumber, { maxLength: 3 }), visits: fc.record({ records: natural, sum: fc.bigInt(0n, 2n ** 64n - 1n) }),
  })),
  firstElement,
  rows: natural,
  totals,
  epochs: fc.array(natural, { maxLength: 3 }),
  history: fc.array(fc.tuple(fc.string(), fc.array(anyNumber, { maxLength: 3 })), { maxLength: 3 }),
  validation: fc.option(fc.array(anyNumber, { maxLength: 3 })),
  stopTraining: fc.boolean(),
  callbackRounds: natural,
  callbacks: fc.array(
    fc.record({ json: fc.constantFrom(null, { wait: 1 }, [NaN, '~']), tensors: fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 3 }) }),
    { maxLength: 12, size: 'small' },
  ),
});
const call = { kind: fc.constantFrom('fit', 'evaluate'), label: fc.string(), digest: fc.string() };
const state: fc.Arbitrary<StateSnapshot> = fc.record({
  seed: fc.maxSafeInteger(),
  replicas: fc.integer({ min: 1, max: 64 }),
  position: fc.record({ call: natural, epoch: natural, phase: fc.constantFrom(...PHASES), step: natural }),
  models: fc.array(fc.option(fc.record({ optimizer: fc.record({ className: fc.string(), numbers: fc.dictionary(fc.string(), fc.oneof(anyNumber, fc.boolean(), fc.constant(null)), { maxKeys: 4 }) }) })), { maxLength: 2 }),
  calls: fc.array(fc.record({ ...call, result: fc.constantFrom(null, [0.5, -0]) }), { maxLength: 3 }),
  running: fc.option(fc.record({ ...call, run: fc.option(run), evaluation: fc.option(evaluation) })),
  tensors: fc.array(tensor, { maxLength: 4 }),
});

const reasonOf = (run: () => unknown): StateErrorReason | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof StateError) return error.reason;
    throw error;
  }
};

/** With data as lists, which toEqual compares by value whatever they are views of. */
function plain(snapshot: StateSnapshot): unknown {
  const lists = (tensors: readonly StateTensor[]): unknown => tensors.map((t) => ({ ...t, data: [...t.data] }));
  const { running } = snapshot;
  return {
    ...snapshot,
    tensors: lists(snapshot.tensors),
    running: running && { ...running, run: running.run && { ...running.run, callbacks: running.run.callbacks.map(({ json, tensors }) => ({ json, tensors: lists(tensors) })) } },
  };
}

test('decode(encode(state)) is the state, and equal states have equal bytes', () => {
  fc.assert(
    fc.property(state, (value) => {
      const bytes = encodeState(value);
      const decoded = decodeState(bytes, stateDigest(bytes));
      expect(Buffer.compare(encodeState(decoded), bytes)).toBe(0);
      expect(plain(decoded)).toEqual(plain(value));
    }),
  );
});

test('tensors lie on multiples of 8 bytes', () => {
  fc.assert(
    fc.property(state, (value) => {
      const bytes = encodeState(value);
      const decoded = decodeState(bytes);
      const all = [...decoded.tensors, ...(decoded.running?.run?.callbacks ?? []).flatMap(({ tensors }) => tensors)];
      for (const { data } of all) expect((data.byteOffset - bytes.byteOffset) % 8).toBe(0);
    }),
  );
});

test('every prefix is refused', () => {
  fc.assert(
    fc.property(state, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, share) => {
      const bytes = encodeState(value);
      const cut = bytes.subarray(0, Math.floor(share * bytes.length));
      expect(['NOT_A_STATE', 'TRUNCATED']).toContain(reasonOf(() => decodeState(cut)));
    }),
  );
});

test('every flipped bit is refused when the digest is known', () => {
  fc.assert(
    fc.property(state, fc.nat(), fc.nat({ max: 7 }), (value, at, bit) => {
      const bytes = encodeState(value);
      const digest = stateDigest(bytes);
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      expect(reasonOf(() => decodeState(bytes, digest))).toBe('DIGEST_MISMATCH');
    }),
  );
});

test('without a digest a damaged state gives another state or a StateError, never another error', () => {
  fc.assert(
    fc.property(state, fc.nat(), fc.nat({ max: 255 }), (value, at, byte) => {
      const bytes = encodeState(value);
      bytes[at % bytes.length] = byte;
      const reason = reasonOf(() => decodeState(bytes));
      if (reason === undefined) expect(Buffer.compare(encodeState(decodeState(bytes)), bytes)).toBe(0);
    }),
  );
});

const small: StateSnapshot = { seed: 1, replicas: 4, position: { call: 0, epoch: 0, phase: 'TRAIN', step: 0 }, models: [], calls: [], running: null, tensors: [] };

test.each<[string, (bytes: Uint8Array) => Uint8Array, StateErrorReason]>([
  ['another magic', (bytes) => bytes.fill(0x41, 0, 1), 'NOT_A_STATE'],
  ['another version', (bytes) => bytes.fill(9, 8, 9), 'OTHER_VERSION'],
  ['a byte too many', (bytes) => Uint8Array.from([...bytes, 0]), 'CORRUPT'],
  ['a header that is no JSON', (bytes) => bytes.fill(0x7b, 20, 21), 'CORRUPT'],
  ['padding that is not zero', (bytes) => bytes.fill(1, bytes.length - 1), 'CORRUPT'],
])('%s is refused', (_what, damage, reason) => {
  expect(reasonOf(() => decodeState(damage(encodeState(small))))).toBe(reason);
});

test.each<[{ seed: number; replicas: number }, StateErrorReason | undefined]>([
  [{ seed: 1, replicas: 4 }, undefined],
  [{ seed: 2, replicas: 4 }, 'OTHER_SEED'],
  [{ seed: 1, replicas: 3 }, 'OTHER_REPLICAS'],
])('a state with seed 1 and 4 replicas in a job with %p', (job, reason) => {
  expect(reasonOf(() => checkStateOfJob(small, job))).toBe(reason);
});

describe("a callback's tensors", () => {
  const one = (name: string): StateTensor => ({ name, dtype: 'float32', shape: [1], data: new Uint8Array(4).fill(7) });
  const withCallbacks = (...callbacks: readonly (readonly StateTensor[])[]): StateSnapshot => ({
    ...small,
    tensors: [one('model/0/weight/0/kernel')],
    running: {
      kind: 'fit', label: 'fit()', digest: '', evaluation: null,
      run: {
        stage: 'EPOCH_BEGIN', lastBatch: null, firstElement: null, rows: 0, totals: [], epochs: [], history: [], validation: null, stopTraining: false, callbackRounds: 0,
        callbacks: callbacks.map((tensors) => ({ json: null, tensors })),
      },
    },
  });

  test('lie behind the models\', under the index of their callback', () => {
    const bytes = encodeState(withCallbacks([], [one('best/0/kernel'), one('best/1/bias')]));
    const names = [...Buffer.from(bytes).toString('latin1').matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name);
    expect(names).toEqual(['model/0/weight/0/kernel', 'callback/1/best/0/kernel', 'callback/1/best/1/bias']);
  });

  // What the header says is changed in place, to a text of the same length.
  test.each<[string, string, string, RegExp]>([
    ['of a callback that is not there', 'callback/1/b', 'callback/2/b', /callback\/2\/b belongs to none of its 2 callbacks/],
    ['of an earlier callback after a later one', 'callback/0/x', 'callback/1/x', /callback\/0\/a comes after those of a later callback/],
    ['that is there twice', 'callback/0/a', 'callback/0/x', /callback\/0\/x is there twice/],
    ['of a model behind them', 'callback/0/a', 'backcall/0/a', /backcall\/0\/a comes after callbacks' tensors/],
  ])('%s is refused', (_what, name, other, message) => {
    const bytes = Buffer.from(encodeState(withCallbacks([one('x'), one('a')], [one('b')])));
    bytes.write(other, bytes.indexOf(name), 'latin1');
    expect(() => decodeState(bytes)).toThrow(expect.objectContaining({ reason: 'CORRUPT', message: expect.stringMatching(message) }));
  });
});
