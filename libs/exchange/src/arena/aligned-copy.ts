const STAGE_BYTES = 65_536;
const STAGE = Buffer.allocUnsafeSlow(STAGE_BYTES + 8);

/**
 * Copies into a target that may be shared memory. V8 copies between shared and ordinary memory several times faster when
 * both agree modulo 8; a source that does not goes through a buffer that does.
 *
 * @param at bytes from the target's start
 */
export function copyAligned(target: Uint8Array, at: number, source: Uint8Array): void {
  const skewed = (target.byteOffset + at - source.byteOffset) % 8 !== 0;
  if (!skewed) {
    target.set(source, at);
    return;
  }
  for (let done = 0; done < source.length; done += STAGE_BYTES) {
    const part = source.subarray(done, done + STAGE_BYTES);
    const phase = (target.byteOffset + at + done - STAGE.byteOffset) & 7;
    STAGE.set(part, phase);
    target.set(STAGE.subarray(phase, phase + part.length), at + done);
  }
}
