/** A trial's id as KerasTuner has it: a zero-padded number, since it is used in paths. */
export type TrialIdOf = (number: number) => string;

/** Digits of a study's trials that has no limit; so many "None" has. */
const DIGITS_WITHOUT_LIMIT = 4;

/** Ids of a study's trials, as KerasTuner's oracles number them. @param maxTrials its limit; undefined without one, and for Hyperband, which sets its own */
export function trialIds(maxTrials: number | undefined): TrialIdOf {
  const digits = maxTrials === undefined ? DIGITS_WITHOUT_LIMIT : String(maxTrials).length;
  return (number) => String(number).padStart(digits, '0');
}
