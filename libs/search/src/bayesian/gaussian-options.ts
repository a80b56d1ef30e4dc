import { refuseViolations, type Violation } from '../search-error';

/** What users may say about the Gaussian process search; names and meanings are KerasTuner's. */
export interface GaussianOptions {
  /** Points before the surrogate is asked, the default one among them; when left out, 2 more than there are parameters, from 5 to 10. */
  readonly numInitialPoints?: number | undefined;
  /**
   * The least noise that scores are taken to have, as a variance in units of their own variance. The noise itself is fitted; when left
   * out it may be next to none. At most 1.
   */
  readonly alpha?: number | undefined;
  /** Suggest where mean - beta * deviation is least (a lower confidence bound). When left out, by log expected improvement. */
  readonly beta?: number | undefined;
}

const INITIAL_MIN = 5;
const INITIAL_MAX = 10;

/** @param columns how many parameters are searched */
export const initialPoints = ({ numInitialPoints }: GaussianOptions, columns: number): number =>
  numInitialPoints ?? Math.min(INITIAL_MAX, Math.max(INITIAL_MIN, columns + 2));

/** @throws {SearchError} INVALID_SETTINGS */
export function checkGaussianOptions({ numInitialPoints, alpha, beta }: GaussianOptions): void {
  const violations: Violation[] = [];
  if (numInitialPoints !== undefined && !(Number.isSafeInteger(numInitialPoints) && numInitialPoints >= 1)) {
    violations.push({ field: 'options.numInitialPoints', description: `${numInitialPoints} points: it must be an integer of at least 1` });
  }
  if (alpha !== undefined && !(alpha > 0 && alpha <= 1)) {
    violations.push({ field: 'options.alpha', description: `${alpha}: it must be above 0 and at most 1, the share of the scores' variance that is noise` });
  }
  if (beta !== undefined && !(beta >= 0 && Number.isFinite(beta))) {
    violations.push({ field: 'options.beta', description: `${beta}: it must be a finite number of at least 0` });
  }
  refuseViolations('INVALID_SETTINGS', violations);
}
