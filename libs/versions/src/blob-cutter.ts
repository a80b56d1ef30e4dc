/**
 * Where a file is cut into blobs: by its content, so that two files that share a stretch share the blobs inside it
 * (normalised content-defined chunking with a gear hash: Xia et al., FastCDC, USENIX ATC 2016).
 *
 * 1. A file of at most MAX_BLOB_BYTES is one blob; no blob is longer, and of a longer file none but the last is shorter than MIN_BLOB_BYTES.
 * 2. A cut depends on the bytes since the last cut and on nothing else, in particular not on how the bytes arrive.
 * 3. The digest of a version depends on the cuts: these numbers and the gear table are part of the format.
 */
import { createHash } from 'node:crypto';

export const MIN_BLOB_BYTES = 1 << 20;
export const MAX_BLOB_BYTES = 4 << 20;
/** Before this length a cut is made less likely, after it more likely: lengths gather around it. */
const NORMAL_BLOB_BYTES = 2 << 20;

/** Expected distance to a cut, in bytes: 2^22 before the normal length, 2^18 after it. The bits are the hash's highest: they depend on the last 32 bytes. */
const STRICT_MASK = 0xfffffc00 | 0;
const LOOSE_MASK = 0xffffc000 | 0;

/** 256 random words: the first four bytes, big-endian, of SHA-256("lockstep gear <byte>"). */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) => createHash('sha256').update(`lockstep gear ${byte}`).digest().readInt32BE(0));

/**
 * Length of the next blob of a file.
 *
 * @param bytes the file from the last cut on: at least MAX_BLOB_BYTES of it, or all that is left
 * @param wholeFile whether `bytes` is the whole file
 */
export function nextBlobLength(bytes: Uint8Array, wholeFile: boolean): number {
  if (wholeFile && bytes.length <= MAX_BLOB_BYTES) return bytes.length;
  if (bytes.length <= MIN_BLOB_BYTES) return bytes.length;
  const end = Math.min(bytes.length, MAX_BLOB_BYTES);
  const normal = Math.min(end, NORMAL_BLOB_BYTES);
  // The hash is fed from 32 bytes before the first possible cut: by then it has forgotten where it began.
  let hash = 0;
  let i = MIN_BLOB_BYTES - 32;
  for (; i < MIN_BLOB_BYTES; i++) hash = ((hash << 1) + gear(bytes, i)) | 0;
  for (; i < normal; i++) {
    hash = ((hash << 1) + gear(bytes, i)) | 0;
    if ((hash & STRICT_MASK) === 0) return i + 1;
  }
  for (; i < end; i++) {
    hash = ((hash << 1) + gear(bytes, i)) | 0;
    if ((hash & LOOSE_MASK) === 0) return i + 1;
  }
  return end;
}

const gear = (bytes: Uint8Array, i: number): number => GEAR[bytes[i] as number] as number;
