/**
 * Where in a job something was reported. Members report the same points in the same order, whoever is chief: so a report is
 * idempotent, and nothing is counted twice or left out when another chief, or another coordinator, goes on.
 */

export const PROGRESS_KINDS = ['CALL_STARTED', 'STEP', 'EPOCH_ENDED', 'CALL_ENDED'] as const;

export type ProgressKind = (typeof PROGRESS_KINDS)[number];

export interface ProgressPoint {
  readonly call: number;
  readonly epoch: number;
  readonly step: number;
  readonly kind: ProgressKind;
}

/** Larger later, element by element. */
function orderOf({ call, epoch, step, kind }: ProgressPoint): readonly number[] {
  switch (kind) {
    case 'CALL_STARTED': return [call, 0, 0, 0, 0];
    case 'STEP': return [call, 1, epoch, 0, step];
    case 'EPOCH_ENDED': return [call, 1, epoch, 1, 0];
    case 'CALL_ENDED': return [call, 2, 0, 0, 0];
  }
}

/** Negative when `a` is before `b`, 0 when they are the same point. */
export function comparePoints(a: ProgressPoint, b: ProgressPoint): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  for (let i = 0; i < left.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a point is behind what is committed; everything is behind nothing. */
export const isAfter = (point: ProgressPoint, committed: ProgressPoint | undefined): boolean =>
  committed === undefined || comparePoints(point, committed) > 0;
