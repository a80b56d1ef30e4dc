/** What a joiner is handed: the state, and the progress that leads to it and that nobody may be left to tell. */
import { digestOf, type EncodedState } from '../workload/training-state';
import type { ProgressEntry } from './messages';

const LENGTH_BYTES = 4;

export function joinProgress({ bytes }: EncodedState, entries: readonly ProgressEntry[]): EncodedState {
  const progress = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(progress.byteLength);
  const whole = Buffer.concat([length, progress, bytes]);
  return { bytes: whole, digest: digestOf(whole) };
}

export function splitProgress(whole: Uint8Array): { readonly state: Uint8Array; readonly entries: readonly ProgressEntry[] } {
  const bytes = Buffer.from(whole);
  const end = LENGTH_BYTES + bytes.readUInt32LE(0);
  return { state: bytes.subarray(end), entries: JSON.parse(bytes.subarray(LENGTH_BYTES, end).toString()) as readonly ProgressEntry[] };
}
