/**
 * Fencing: only the newest generation of a job's membership may commit for it.
 *
 * 1. The newest generation that was seen never decreases.
 * 2. A commit or an announcement of an older one changes nothing, so that a worker that was presumed dead, or a coordinator that was replaced,
 *    cannot publish after its successor has taken over.
 */

/** Who acts: a generation of a job's membership. */
export interface Fence {
  /** Id of the job. */
  readonly job: string;
  /** From 1. */
  readonly generation: number;
}

export type FenceDecision =
  /** The generation is the newest one already. */
  | { readonly kind: 'CURRENT' }
  /** The generation is newer: it becomes the newest. */
  | { readonly kind: 'ADVANCED' }
  | { readonly kind: 'FENCED'; readonly newest: number };

/** @param newest newest generation of the fence's job that was seen; undefined when none was */
export function decideFence(newest: number | undefined, fence: Fence): FenceDecision {
  if (newest === undefined || fence.generation > newest) return { kind: 'ADVANCED' };
  return fence.generation === newest ? { kind: 'CURRENT' } : { kind: 'FENCED', newest };
}
