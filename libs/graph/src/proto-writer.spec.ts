import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { ProtoWriter, sortedEntries } from './proto-writer';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('ProtoWriter', () => {
  // From https://protobuf.dev/programming-guides/encoding, and for the others from Python's google.protobuf.
  test.each([
    ['field 1 = 150', new ProtoWriter().int(1, 150), '089601'],
    ['field 2 = "testing"', new ProtoWriter().string(2, 'testing'), '120774657374696e67'],
    ['field 3 = {field 1 = 150}', new ProtoWriter().message(3, new ProtoWriter().int(1, 150)), '1a03089601'],
    ['field 1 = -1', new ProtoWriter().int(1, -1), '08ffffffffffffffffff01'],
    ['field 1 = -2', new ProtoWriter().int(1, -2), '08feffffffffffffffff01'],
    ['field 4 = 0.5', new ProtoWriter().float(4, 0.5), '250000003f'],
    ['field 16 = true', new ProtoWriter().bool(16, true), '800101'],
    ['an empty string', new ProtoWriter().string(1, ''), '0a00'],
  ])('%s', (_title, writer, expected) => {
    expect(hex(writer.finish())).toBe(expected);
  });

  it('is read back by protobuf-es', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), fc.string({ unit: 'grapheme' }), fc.uint8Array(), fc.float({ noNaN: true }), (integer, text, bytes, float) => {
      const inner = new ProtoWriter().string(1, text).float(2, float);
      const reader = new BinaryReader(new ProtoWriter().int(1, integer).bytes(2, bytes).message(3, inner).finish());
      expect(reader.tag()).toEqual([1, WireType.Varint]);
      expect(Number(reader.int64())).toBe(integer);
      expect(reader.tag()).toEqual([2, WireType.LengthDelimited]);
      expect(hex(reader.bytes())).toBe(hex(bytes));
      expect(reader.tag()).toEqual([3, WireType.LengthDelimited]);
      const nested = new BinaryReader(reader.bytes());
      expect(nested.tag()).toEqual([1, WireType.LengthDelimited]);
      expect(nested.string()).toBe(text);
      expect(nested.tag()).toEqual([2, WireType.Bit32]);
      expect(Object.is(nested.float(), float)).toBe(true);
      expect([nested.pos, reader.pos]).toEqual([nested.len, reader.len]);
    }));
  });

  it('writes the entries of a map in code-unit order, whatever order they came in', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.string()), fc.func(fc.integer()), (keys, rank) => {
      const write = (order: readonly string[]): string =>
        hex(new ProtoWriter().map(5, Object.fromEntries(order.map((key) => [key, key])), (value) => new ProtoWriter().string(1, value)).finish());
      const shuffled = [...keys].sort((a, b) => rank(a) - rank(b));
      expect(write(shuffled)).toBe(write(keys));
    }));
    expect(sortedEntries({ b: 1, a: 2, Z: 3, 'ä': 4 }).map(([key]) => key)).toEqual(['Z', 'a', 'b', 'ä']);
  });

  test.each([0.5, NaN, Infinity, 2 ** 53])('refuses the integer %p', (value) => {
    expect(() => new ProtoWriter().int(1, value)).toThrow(RangeError);
  });
});
