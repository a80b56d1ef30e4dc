import type { CallClaim, Collective, CollectiveError, Position } from '@lockstep/reduction';

/**
 * What has to be waited for, by blocking where members compute, and by asking later in the simulation: so both run the same
 * code.
 */
export type Wait =
  | { readonly kind: 'FORM'; readonly why: CollectiveError | undefined }
  | { readonly kind: 'AGREE'; readonly inner: Collective; readonly position: Position; readonly claim: CallClaim }
  | { readonly kind: 'SUMS'; readonly inner: Collective; readonly bucket: number };

/** A course of action that waits now and then; `T` is what comes of it. What it is resumed with is the answer to its wait. */
export type Course<T> = Generator<Wait, T, Collective | Float32Array | undefined>;

/** What the forming of a group was answered with. */
export function groupOf(answer: Collective | Float32Array | undefined): Collective {
  if (!answer || answer instanceof Float32Array) throw new TypeError('a group that was to be formed was answered by something else');
  return answer;
}

/** What a wait for sums was answered with. */
export function sumsOf(answer: Collective | Float32Array | undefined): Float32Array {
  if (!(answer instanceof Float32Array)) throw new TypeError('sums that were waited for were answered by something else');
  return answer;
}
