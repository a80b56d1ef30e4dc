import fc from 'fast-check';
import { decodeNote, encodeNote, NOTE_ELEMENTS, type ResyncNote } from './resync-note';

const note: fc.Arbitrary<ResyncNote> = fc.record({
  completed: fc.nat(2 ** 31 - 1).map((n) => n * 2 ** 17), outcomeElements: fc.maxSafeNat().map((n) => n % 2 ** 48), first: fc.nat(2 ** 16 - 1),
  standing: fc.constantFrom('APPLIED', 'SERVED', 'JOINER'), exact: fc.boolean(),
});

test('a note is read as it was written, as float32 values', () => {
  fc.assert(fc.property(note, (written) => {
    const elements = Float32Array.from(encodeNote(written));
    expect(elements).toHaveLength(NOTE_ELEMENTS);
    expect(decodeNote(elements)).toEqual(written);
  }));
});

test.each([-1, 0.5, 2 ** 48, NaN, Infinity])('%p operations do not fit into a note', (completed) => {
  expect(() => encodeNote({ completed, first: 0, standing: 'APPLIED', outcomeElements: 0, exact: true })).toThrow(RangeError);
});

test.each<[string, readonly number[]]>([
  ['too short', [0, 0, 0]],
  ['a fraction', [0.5, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['negative', [0, 0, 0, 0, 0, 0, -1, 0, 0]],
  ['too large', [65_536, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['not a number', [NaN, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['no standing', [0, 0, 0, 0, 0, 0, 0, 3, 0]],
])('what is no note is refused: %s', (_what, elements) => {
  expect(() => decodeNote(elements)).toThrow(RangeError);
});
