/** CRC-32C (Castagnoli; RFC 3720), reflected, as TFRecord frames use it. */
const POLYNOMIAL = 0x82f63b78;

const byteTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
});

/** The remainders with one more zero byte behind them. */
const shifted = (table: Int32Array): Int32Array => table.map((crc) => (crc >>> 8) ^ (byteTable[crc & 0xff] ?? 0));

// Slicing by 8 (Kounavis and Berry): T[k][b] is the remainder of byte b followed by k zero bytes.
const T0 = byteTable;
const T1 = shifted(T0);
const T2 = shifted(T1);
const T3 = shifted(T2);
const T4 = shifted(T3);
const T5 = shifted(T4);
const T6 = shifted(T5);
const T7 = shifted(T6);

/** CRC-32C of bytes[from, to), unsigned. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1;
  let i = from;
  for (const end = to - 7; i < end; i += 8) {
    const low = crc ^ (byte(bytes, i) | (byte(bytes, i + 1) << 8) | (byte(bytes, i + 2) << 16) | (byte(bytes, i + 3) << 24));
    crc = at(T7, low & 0xff) ^ at(T6, (low >>> 8) & 0xff) ^ at(T5, (low >>> 16) & 0xff) ^ at(T4, low >>> 24)
      ^ at(T3, byte(bytes, i + 4)) ^ at(T2, byte(bytes, i + 5)) ^ at(T1, byte(bytes, i + 6)) ^ at(T0, byte(bytes, i + 7));
  }
  for (; i < to; i++) crc = (crc >>> 8) ^ at(T0, (crc ^ byte(bytes, i)) & 0xff);
  return ~crc >>> 0;
}

// Two helpers, so that each sees one kind of array: a shared one is a fifth slower.
const byte = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0;
const at = (table: Int32Array, index: number): number => table[index] ?? 0;

/** TFRecord's mask, so that a CRC over data that holds CRCs stays one: rotated by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const crc = crc32c(bytes, from, to);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
