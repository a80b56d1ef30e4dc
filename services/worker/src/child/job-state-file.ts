/** The state of a job as members hand it to one another and as checkpoints hold it: the steps so far, then the TrainingState. */
import { createHash } from 'node:crypto';
import { StateError, type TrainingState } from '@lockstep/training';

const STEPS_BYTES = 8;

/** The state with what the job counts beside it. */
export interface JobStateFile {
  readonly steps: number;
  readonly state: TrainingState;
}

/** @returns the bytes and their SHA-256 in hex */
export function encodeJobState({ steps, state }: JobStateFile): TrainingState {
  const header = Buffer.alloc(STEPS_BYTES);
  header.writeBigUInt64LE(BigInt(steps));
  const bytes = Buffer.concat([header, state.bytes]);
  return { bytes, digest: digestOf(bytes) };
}

/** @throws StateError DIGEST_MISMATCH when the bytes are not what was written, CORRUPT when they are no state */
export function decodeJobState({ bytes, digest }: TrainingState): JobStateFile {
  checkDigest(bytes, digest);
  if (bytes.byteLength < STEPS_BYTES) throw new StateError('CORRUPT', `a state of ${bytes.byteLength} bytes`);
  const steps = Number(Buffer.from(bytes.buffer, bytes.byteOffset, STEPS_BYTES).readBigUInt64LE());
  const state = bytes.subarray(STEPS_BYTES);
  return { steps, state: { bytes: state, digest: digestOf(state) } };
}

/** @throws StateError DIGEST_MISMATCH */
export function checkDigest(bytes: Uint8Array, digest: string): void {
  const found = digestOf(bytes);
  if (found !== digest) throw new StateError('DIGEST_MISMATCH', `the state that was handed over has digest ${found}, its sender said ${digest}: it was damaged on its way`);
}

/** SHA-256, in hex. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
