/**
 * What a member says of itself when a generation has formed, as integers that float32 holds exactly: notes travel
 * through the all-reduce itself.
 */

/** Where a member stands. */
export interface ResyncNote {
  /** Operations that it completed: the number of the last one in the job. Meaningless for a joiner. */
  readonly completed: number;
  /** The first of its logical replicas. */
  readonly first: number;
  /**
   * APPLIED: it has gone on with the outcome of its last operation, and stands before the next one.
   * SERVED: it was handed that outcome after its group broke, and has not gone on with it yet.
   * JOINER: it has no state.
   */
  readonly standing: 'APPLIED' | 'SERVED' | 'JOINER';
  /** Elements of the outcome of its last operation; 0 when that was no sum. */
  readonly outcomeElements: number;
  /** Whether its state can be taken now: not while callbacks run. */
  readonly exact: boolean;
}

const STANDINGS: readonly ResyncNote['standing'][] = ['APPLIED', 'SERVED', 'JOINER'];
const DIGIT = 2 ** 16;
const DIGITS = 3;

/** Elements of a note. */
export const NOTE_ELEMENTS = 2 * DIGITS + 3;

/** @throws RangeError when a number has more than 48 bits */
export function encodeNote({ completed, first, standing, outcomeElements, exact }: ResyncNote): readonly number[] {
  return [...digits(completed), ...digits(outcomeElements), first, STANDINGS.indexOf(standing), exact ? 1 : 0];
}

/** @throws RangeError when the elements are no note */
export function decodeNote(elements: ArrayLike<number>): ResyncNote {
  const at = (index: number): number => {
    const value = elements[index];
    if (value === undefined || !Number.isInteger(value) || value < 0 || value >= DIGIT) throw new RangeError(`element ${index} of a note is ${value}`);
    return value;
  };
  const number = (from: number): number => at(from) + at(from + 1) * DIGIT + at(from + 2) * DIGIT * DIGIT;
  const standing = STANDINGS[at(2 * DIGITS + 1)];
  if (standing === undefined) throw new RangeError(`a note has standing ${at(2 * DIGITS + 1)}`);
  return { completed: number(0), outcomeElements: number(DIGITS), first: at(2 * DIGITS), standing, exact: at(2 * DIGITS + 2) === 1 };
}

function digits(value: number): readonly number[] {
  if (!Number.isSafeInteger(value) || value < 0 || value >= DIGIT ** DIGITS) throw new RangeError(`${value} does not fit into a note`);
  return [value % DIGIT, Math.floor(value / DIGIT) % DIGIT, Math.floor(value / DIGIT ** 2)];
}

/** The first logical replica of a rank. */
export function firstOf(notes: readonly ResyncNote[], rank: number): number {
  const note = notes[rank];
  if (!note) throw new RangeError(`rank ${rank} sent no note`);
  return note.first;
}
