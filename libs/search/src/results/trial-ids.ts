/** A trial's id as KerasTuner has it: a zero-padded number. */
export type TrialIdOf = (number: number) => string;

/** Ids of a study's trials, all of one length. @param count of its trials */
export function trialIds(count: number): TrialIdOf {
  const digits = String(Math.max(0, count - 1)).length;
  return (number) => String(number).padStart(digits, '0');
}
