import { naturalLogarithm } from '../space/exact-power';
import { refuseViolations, type Violation } from '../search-error';

/** One pass of Hyperband over all its brackets. */
export interface Sweep {
  /** Epochs of a trial that gets through to the end; a positive integer. */
  readonly maxEpochs: number;
  /** By what a round has fewer trials and more epochs than the one before; an integer of at least 2. */
  readonly factor: number;
}

/** What is wrong with a sweep. @param at where it stands, e.g. `options` */
export function sweepViolations({ maxEpochs, factor }: Sweep, at: string): readonly Violation[] {
  return [
    ...(Number.isSafeInteger(maxEpochs) && maxEpochs >= 1 ? [] : [{ field: `${at}.maxEpochs`, description: `${maxEpochs} epochs: it must be an integer of at least 1` }]),
    ...(Number.isSafeInteger(factor) && factor >= 2 ? [] : [{ field: `${at}.factor`, description: `factor ${factor}: it must be an integer of at least 2` }]),
  ];
}

/** The sizes and epochs of KerasTuner's Hyperband. Bracket b has rounds 0 to b; the highest bracket is run first. */
export class Schedule {
  readonly bracketCount: number;

  /** @throws {SearchError} INVALID_SETTINGS */
  constructor(private readonly sweep: Sweep) {
    refuseViolations('INVALID_SETTINGS', sweepViolations(sweep, 'sweep'));
    let count = 0;
    for (let epochs = sweep.maxEpochs; epochs >= 1; epochs /= sweep.factor) count++;
    this.bracketCount = count;
  }

  /** How many trials a round has. */
  size(bracket: number, round: number): number {
    const { maxEpochs, factor } = this.sweep;
    const lastSize = Math.ceil(1 + naturalLogarithm(maxEpochs) / naturalLogarithm(factor)) / (bracket + 1);
    return Math.ceil(lastSize * integerPower(factor, bracket - round));
  }

  /** The epoch after which a trial of the round ends, counted from the start of its training. */
  epochs(bracket: number, round: number): number {
    return Math.ceil(this.sweep.maxEpochs / integerPower(this.sweep.factor, bracket - round));
  }
}

/** Exact, as long as it is a safe integer. */
function integerPower(base: number, exponent: number): number {
  let product = 1;
  for (let i = 0; i < exponent; i++) product *= base;
  return product;
}
