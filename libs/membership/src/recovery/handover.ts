/** A state as the all-reduce carries it: float32 elements that hold its bytes. */

const DIGEST_BYTES = 32;
const LENGTH_BYTES = 8;

/** Length, digest and bytes in one piece. */
export function joinHandover({ bytes, digest }: { readonly bytes: Uint8Array; readonly digest: string }): Float32Array {
  const header = LENGTH_BYTES + DIGEST_BYTES;
  const whole = Buffer.alloc(Math.ceil((header + bytes.byteLength) / 4) * 4);
  whole.writeBigUInt64LE(BigInt(bytes.byteLength), 0);
  whole.write(digest, LENGTH_BYTES, DIGEST_BYTES, 'hex');
  whole.set(bytes, header);
  return new Float32Array(whole.buffer, whole.byteOffset, whole.byteLength / 4);
}

/** @throws RangeError when the elements hold less than they say */
export function splitHandover(values: Float32Array): { readonly bytes: Uint8Array; readonly digest: string } {
  const whole = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const header = LENGTH_BYTES + DIGEST_BYTES;
  const length = whole.byteLength < header ? -1 : Number(whole.readBigUInt64LE(0));
  if (length < 0 || header + length > whole.byteLength) throw new RangeError(`a state of ${length} bytes was handed over in ${whole.byteLength}`);
  return { bytes: new Uint8Array(whole.subarray(header, header + length)), digest: whole.toString('hex', LENGTH_BYTES, header) };
}
