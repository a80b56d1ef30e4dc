import * as fc from 'fast-check';
import { crc32c, maskedCrc32c } from './crc32c';

// RFC 3720, appendix B.4, and the usual check value.
test.each<[string, Uint8Array, number]>([
  ['32 bytes of zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 incrementing bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['32 decrementing bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', Buffer.alloc(0), 0],
])('CRC-32C of %s', (_what, bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

/** The definition: polynomial division, bit by bit. */
function byDefinition(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('slicing agrees with the definition on any part of any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.nat(), (bytes, a, b) => {
    const [from = 0, to = 0] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y);
    expect(crc32c(bytes, from, to)).toBe(byDefinition(bytes.subarray(from, to)));
  }));
});

// The length and its masked CRC at the head of any TFRecord file whose first record has 3 bytes, as TensorFlow writes it.
test('the mask is TFRecord\'s', () => {
  expect(maskedCrc32c(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]))).toBe(Buffer.from('b099490e', 'hex').readUInt32LE(0));
});
