/**
 * Huffman decoding of header strings (RFC 7541, section 5.2 and appendix B).
 *
 * 1. The code is canonical: codes of one length are consecutive in the order of symbols, so lengths alone define it.
 */
import { Http2Error } from '../http2-error';

/** Bits of the code of each byte, then of the end-of-string symbol: runs of [bits, how many symbols]. */
const CODE_LENGTHS: readonly number[] = expand([
  [13, 1], [23, 1], [28, 7], [24, 1], [30, 1], [28, 2], [30, 1], [28, 8], [30, 1], [28, 9],
  [6, 1], [10, 2], [12, 1], [13, 1], [6, 1], [8, 1], [11, 1], [10, 2], [8, 1], [11, 1], [8, 1], [6, 3],
  [5, 3], [6, 7], [7, 1], [8, 1], [15, 1], [6, 1], [12, 1], [10, 1],
  [13, 1], [6, 1], [7, 22], [8, 1], [7, 1], [8, 1], [13, 1], [19, 1], [13, 1], [14, 1], [6, 1],
  [15, 1], [5, 1], [6, 1], [5, 1], [6, 1], [5, 1], [6, 3], [5, 1], [7, 2], [6, 3], [5, 1],
  [6, 1], [7, 1], [6, 1], [5, 2], [6, 1], [7, 5], [15, 1], [11, 1], [14, 1], [13, 1], [28, 1],
  [20, 1], [22, 1], [20, 2], [22, 3], [23, 1], [22, 1], [23, 5], [24, 1], [23, 1],
  [24, 2], [22, 1], [23, 1], [24, 1], [23, 4], [21, 1], [22, 1], [23, 1], [22, 1], [23, 2], [24, 1],
  [22, 1], [21, 1], [20, 1], [22, 2], [23, 2], [21, 1], [23, 1], [22, 2], [24, 1], [21, 1], [22, 1], [23, 2],
  [21, 2], [22, 1], [21, 1], [23, 1], [22, 1], [23, 2], [20, 1], [22, 3], [23, 1], [22, 2], [23, 1],
  [26, 2], [20, 1], [19, 1], [22, 1], [23, 1], [22, 1], [25, 1], [26, 3], [27, 2], [26, 1], [24, 1], [25, 1],
  [19, 1], [21, 1], [26, 1], [27, 2], [26, 1], [27, 1], [24, 1], [21, 2], [26, 2], [28, 1], [27, 3],
  [20, 1], [24, 1], [20, 1], [21, 1], [22, 1], [21, 2], [23, 1], [22, 2], [25, 2], [24, 2], [26, 1], [23, 1],
  [26, 1], [27, 1], [26, 2], [27, 5], [28, 1], [27, 5], [26, 1], [30, 1],
]);
const END_OF_STRING = 256;

/** A node's two children: a positive number is a node, a negative one the symbol -(n + 1). */
const TREE = buildTree();

/** @throws Http2Error COMPRESSION_ERROR for a code of no symbol, and for padding that is none */
export function decodeHuffman(bytes: Uint8Array): string {
  const text: number[] = [];
  let node = 0;
  let bitsSince = 0;
  let onesOnly = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      const next = TREE[2 * node + one] ?? 0;
      bitsSince++;
      onesOnly &&= one === 1;
      if (next >= 0) {
        node = next;
        continue;
      }
      if (-next - 1 === END_OF_STRING) throw new Http2Error('COMPRESSION_ERROR', 'a header string contains the end-of-string symbol');
      text.push(-next - 1);
      [node, bitsSince, onesOnly] = [0, 0, true];
    }
  }
  if (bitsSince > 7 || !onesOnly) throw new Http2Error('COMPRESSION_ERROR', 'a header string ends within a Huffman code');
  return Buffer.from(text).toString('latin1');
}

/** Code and length of every symbol, by symbol. */
export function huffmanCodes(): readonly { readonly code: number; readonly bits: number }[] {
  const codes = CODE_LENGTHS.map((bits) => ({ code: 0, bits }));
  let code = 0;
  let previousBits = 0;
  for (const entry of [...codes].sort((a, b) => a.bits - b.bits)) {
    code *= 2 ** (entry.bits - previousBits);
    entry.code = code++;
    previousBits = entry.bits;
  }
  return codes;
}

function buildTree(): Int32Array {
  const codes = huffmanCodes();
  // A full binary tree has one inner node fewer than leaves.
  const tree = new Int32Array(2 * (codes.length - 1));
  let nodes = 1;
  codes.forEach(({ code, bits }, symbol) => {
    let node = 0;
    for (let bit = bits - 1; bit >= 0; bit--) {
      const at = 2 * node + (Math.floor(code / 2 ** bit) & 1);
      if (bit === 0) tree[at] = -symbol - 1;
      else if (tree[at] === 0) tree[at] = nodes++;
      node = tree[at] ?? 0;
    }
  });
  return tree;
}

function expand(runs: readonly (readonly [number, number])[]): readonly number[] {
  return runs.flatMap(([bits, count]) => Array<number>(count).fill(bits));
}
