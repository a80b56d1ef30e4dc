/** Which versions of an artifact go when it keeps only some: checkpoints, of which a job needs the newest. */

/**
 * The numbers that go, in their order: those below the largest kept one that are not kept themselves; all of them when none is kept. What is newer than
 * the largest kept one stays: it was committed after the choice was made, and nobody has chosen about it yet.
 */
export function supersededNumbers(present: readonly number[], kept: readonly number[]): readonly number[] {
  const newest = kept.length === 0 ? Infinity : Math.max(...kept);
  return present.filter((number) => number < newest && !kept.includes(number));
}
