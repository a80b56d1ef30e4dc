import { CollectiveError } from '@lockstep/reduction';

const regrouped = (e: unknown): boolean => e instanceof CollectiveError && e.reason === 'REGROUPED';

/**
 * Does a step again for as long as the members change while it runs: by then this member has other replicas. A step is
 * pure until all of it is reduced, so what was computed before is thrown away.
 *
 * @param step reads the rows of the replicas that this member has when it is called
 */
export function redoSync<T>(step: () => T): T {
  for (;;) {
    try {
      return step();
    } catch (e) {
      if (!regrouped(e)) throw e;
    }
  }
}

/** The same where rows have to be read first. @param renew reads those of the new replicas */
export async function redo<T>(step: () => T, renew: () => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return step();
    } catch (e) {
      if (!regrouped(e)) throw e;
      await renew();
    }
  }
}
