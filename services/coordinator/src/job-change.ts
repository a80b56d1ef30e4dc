/** What is stored of a job against what is told of it now: the rules that every job store keeps. */
import { callDiverged, checkpointDiverged } from './job-store-error';
import type { Checkpoint, FinishedCall } from './job-store';

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** @throws JobStoreError CALL_DIVERGED */
export function mergeCall(job: string, stored: FinishedCall | undefined, told: FinishedCall): FinishedCall {
  if (stored && !sameBytes(stored.record, told.record)) throw callDiverged(job, told.number, stored.record, told.record);
  return stored ?? told;
}

/** @throws JobStoreError CHECKPOINT_DIVERGED */
export function mergeCheckpoint(job: string, stored: Checkpoint | undefined, told: Checkpoint): Checkpoint {
  if (!stored) return told;
  const same = stored.step === told.step && stored.stateDigest === told.stateDigest && stored.generation === told.generation && sameBytes(stored.position, told.position);
  if (!same) throw checkpointDiverged(job, told.version);
  return stored;
}

/** Merges what is told, in its order, into what is stored. @returns what is there that was not, or is other than it was */
export function mergeAll<T, K>(stored: ReadonlyMap<K, T>, told: readonly T[], keyOf: (item: T) => K, merge: (stored: T | undefined, told: T) => T): ReadonlyMap<K, T> {
  const changed = new Map<K, T>();
  for (const item of told) {
    const key = keyOf(item);
    const before = changed.get(key) ?? stored.get(key);
    const after = merge(before, item);
    if (after !== stored.get(key)) changed.set(key, after);
  }
  return changed;
}
