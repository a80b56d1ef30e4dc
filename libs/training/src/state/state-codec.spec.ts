import { PHASES } from '@lockstep/reduction';
import fc from 'fast-check';
import { StateError, type StateErrorReason } from '../errors';
import { FIT_STAGES } from '../fit/run';
import { decodeState, DTYPE_BYTES, encodeState, stateDigest } from './state-codec';
import { checkStateOfJob, type StateDtype, type StateSnapshot } from './training-state';

const anyNumber = fc.oneof(fc.double(), fc.constantFrom(-0, NaN, Infinity));
const natural = fc.nat({ max: 1e6 });
const totals = fc.array(fc.array(anyNumber, { maxLength: 3 }), { maxLength: 3 });
const evaluation = fc.record({ step: natural, rows: natural, totals });
const run = fc.record({
  stage: fc.constantFrom(...FIT_STAGES),
  lastBatch: fc.option(fc.record({ rows: natural, values: fc.array(anyNumber, { maxLength: 3 }) })),
  rows: natural,
  totals,
  epochs: fc.array(natural, { maxLength: 3 }),
  history: fc.array(fc.tuple(fc.string(), fc.array(anyNumber, { maxLength: 3 })), { maxLength: 3 }),
  validation: fc.option(fc.array(anyNumber, { maxLength: 3 })),
  stopTraining: fc.boolean(),
  callbackRounds: natural,
  callbacks: fc.array(fc.constantFrom(null, { wait: 1 }, [NaN, '~']), { maxLength: 2 }),
});
const call = { kind: fc.constantFrom('fit', 'evaluate'), label: fc.string(), digest: fc.string() };
const tensor = fc
  .record({ name: fc.string(), dtype: fc.constantFrom(...(Object.keys(DTYPE_BYTES) as StateDtype[])), shape: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }) })
  .chain((head) => {
    const sizeBytes = head.shape.reduce((size, dimension) => size * dimension, DTYPE_BYTES[head.dtype]);
    return fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }).map((data) => ({ ...head, data }));
  });
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

test('decode(encode(state)) is the state, and equal states have equal bytes', () => {
  fc.assert(
    fc.property(state, (value) => {
      const bytes = encodeState(value);
      const decoded = decodeState(bytes, stateDigest(bytes));
      expect(Buffer.compare(encodeState(decoded), bytes)).toBe(0);
      const plain = (snapshot: StateSnapshot): unknown => ({ ...snapshot, tensors: snapshot.tensors.map((t) => ({ ...t, data: [...t.data] })) });
      expect(plain(decoded)).toEqual(plain(value));
    }),
  );
});

test('tensors lie on multiples of 8 bytes', () => {
  fc.assert(
    fc.property(state, (value) => {
      const bytes = encodeState(value);
      for (const { data } of decodeState(bytes).tensors) expect((data.byteOffset - bytes.byteOffset) % 8).toBe(0);
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
