/**
 * What deleting a version means.
 *
 * 1. A version is deleted once: when, and why, is what the first one said. Its number is never used again, also not for the same files.
 * 2. What a running execution reads is not deleted.
 */

/** Why and when a version was deleted. */
export interface Deletion {
  readonly timeMs: number;
  /** In words; may be empty. */
  readonly reason: string;
}

/** Longest reason, in bytes of UTF-8. */
export const MAX_REASON_BYTES = 1024;

export type DeletionDecision =
  | { readonly kind: 'DELETE'; readonly deletion: Deletion }
  /** It was deleted before: a retry. */
  | { readonly kind: 'UNCHANGED' }
  | { readonly kind: 'REFUSED'; readonly message: string; readonly facts: Readonly<Record<string, string>> };

/**
 * Decides what deleting a version means where it stands.
 *
 * @param version its resource name
 * @param before set when it was deleted already
 * @param readers resource names of the running executions that read it; some of them will do when there are many
 */
export function decideDeletion(version: string, before: Deletion | undefined, readers: readonly string[], deletion: Deletion): DeletionDecision {
  if (before) return { kind: 'UNCHANGED' };
  const [first] = readers;
  if (first === undefined) return { kind: 'DELETE', deletion };
  return {
    kind: 'REFUSED',
    message: `${version} cannot be deleted: ${readers.join(', ')} ${readers.length === 1 ? 'reads' : 'read'} it. Wait for the end, or complete the execution if nobody runs it any more`,
    facts: { resource: version, execution: first },
  };
}
