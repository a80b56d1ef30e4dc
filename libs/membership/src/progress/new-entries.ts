import { isAfter, type ProgressPoint } from './progress-point';

/** What of a report is not stored yet. */
export interface NewEntries<Entry> {
  readonly entries: readonly Entry[];
  /** Point of the last of them. */
  readonly committed: ProgressPoint;
}

/**
 * The entries of a report that lie behind what is committed, in the report's order: each point counts once, whoever tells of
 * it and however often.
 *
 * @param pointOf undefined for an entry that names no point: it is left out
 * @returns undefined when all of it is known
 */
export function newEntries<Entry>(
  committed: ProgressPoint | undefined, entries: readonly Entry[], pointOf: (entry: Entry) => ProgressPoint | undefined,
): NewEntries<Entry> | undefined {
  const fresh: Entry[] = [];
  let last = committed;
  for (const entry of entries) {
    const point = pointOf(entry);
    if (!point || !isAfter(point, last)) continue;
    last = point;
    fresh.push(entry);
  }
  return last && fresh.length > 0 ? { entries: fresh, committed: last } : undefined;
}
