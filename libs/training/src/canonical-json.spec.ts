import fc from 'fast-check';
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from './canonical-json';

const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    fc.constant(null), fc.boolean(), fc.double(), fc.integer(), fc.constantFrom(-0, NaN, Infinity, -Infinity), fc.string(), fc.string().map((text) => `~${text}`),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
})).value;

test('decode(encode(x)) is x, to the bit', () => {
  fc.assert(
    fc.property(values, (value) => {
      const text = encodeCanonicalJson(value);
      expect(encodeCanonicalJson(decodeCanonicalJson(text))).toBe(text);
      // toEqual tells -0 from 0 and knows NaN; prototypes do not matter to it.
      expect(decodeCanonicalJson(text)).toEqual(value);
    }),
  );
});

test('the order in which keys were set does not matter', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.string(), fc.integer()), { selector: ([key]) => key }), (entries) => {
      expect(encodeCanonicalJson(Object.fromEntries(entries))).toBe(encodeCanonicalJson(Object.fromEntries([...entries].reverse())));
    }),
  );
});

test.each<[JsonValue, string]>([
  [-0, '"~-0"'],
  [NaN, '"~NaN"'],
  [-Infinity, '"~-Infinity"'],
  ['~NaN', '"~~NaN"'],
  [{ b: 1, a: [0.1, 1e21] }, '{"a":[0.1,1e+21],"b":1}'],
])('%p is written as %s', (value, text) => {
  expect(encodeCanonicalJson(value)).toBe(text);
});

test.each(['"~nan"', '"~"', '{"a":"~x"}'])('%s is refused', (text) => {
  expect(() => decodeCanonicalJson(text)).toThrow(SyntaxError);
});

test('what JSON cannot hold is refused with its path', () => {
  expect(() => encodeCanonicalJson({ a: [1, undefined as unknown as JsonValue] })).toThrow('$.a[1] is undefined');
});
