/** Which checkpoints a job keeps, and which it goes on from: the one of the largest step, whatever the order of the reports. */

/** What the rule must know of a checkpoint. */
export interface CheckpointMark {
  /** Resource name of the version. */
  readonly version: string;
  /** Steps of the job that its state has applied. */
  readonly step: number;
  /** In which generation it was reported. */
  readonly generation: number;
}

/** What a report changes. */
export interface CheckpointChange<Mark extends CheckpointMark> {
  /** Newest first; the job goes on from the first one. */
  readonly kept: readonly Mark[];
  readonly dropped: readonly Mark[];
}

const newestFirst = (a: CheckpointMark, b: CheckpointMark): number => b.step - a.step || b.generation - a.generation;

/**
 * Takes a report of a checkpoint. Reports are repeated, and come late: an old one never takes a newer one's place.
 *
 * @param kept newest first
 * @param keep how many the job keeps; at least 1
 * @returns undefined when it is known, or older than all that are kept
 */
export function takeCheckpoint<Mark extends CheckpointMark>(kept: readonly Mark[], told: Mark, keep: number): CheckpointChange<Mark> | undefined {
  if (kept.some(({ version }) => version === told.version)) return undefined;
  const all = [...kept, told].sort(newestFirst);
  const next = all.slice(0, Math.max(1, keep));
  return next.includes(told) ? { kept: next, dropped: all.slice(next.length) } : undefined;
}
