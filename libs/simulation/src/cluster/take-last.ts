import type { CheckpointChange } from '@lockstep/membership';
import type { StoredCheckpoint } from './stored-job';

/** The planted bug STALE_CHECKPOINT: what is told last is taken for the newest, and what came before it is undone. */
export function takeLast(kept: readonly StoredCheckpoint[], told: StoredCheckpoint, keep: number): CheckpointChange<StoredCheckpoint> {
  const all = [told, ...kept.filter(({ version }) => version !== told.version)];
  return { kept: all.slice(0, keep), dropped: all.slice(keep) };
}
