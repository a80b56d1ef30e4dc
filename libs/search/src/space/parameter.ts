import type { Value, ValueType } from './value';

/** Holds when the parameter `parent` is active and has one of the values. */
export interface Condition {
  readonly parent: string;
  readonly values: readonly Value[];
}

/** How a range is covered: evenly, evenly in the logarithm, or as the logarithm seen from the other end. */
export type Sampling = 'LINEAR' | 'LOG' | 'REVERSE_LOG';

interface Named {
  readonly name: string;
  /** All must hold for the parameter to be active. Name and conditions together identify a parameter. */
  readonly conditions: readonly Condition[];
}

interface Range extends Named {
  readonly min: number;
  /** Included. Equal to `min`, it makes the parameter a constant. */
  readonly max: number;
  /** Distance of neighbouring values, under LOG and REVERSE_LOG their ratio. Absent: any value of the range. */
  readonly step?: number;
  readonly sampling: Sampling;
  readonly default: number;
}

export interface FloatParameter extends Range {
  readonly kind: 'FLOAT';
}

/** All its numbers are integers. A LINEAR one always has a step. */
export interface IntParameter extends Range {
  readonly kind: 'INT';
}

export interface ChoiceParameter extends Named {
  readonly kind: 'CHOICE';
  /** At least one, all of `valueType`. */
  readonly values: readonly Value[];
  readonly valueType: ValueType;
  /** Whether neighbours in the list are alike; true for numbers only. */
  readonly ordered: boolean;
  readonly default: Value;
}

export interface BooleanParameter extends Named {
  readonly kind: 'BOOLEAN';
  readonly default: boolean;
}

/** Not searched, but told to the model and kept with the trial. */
export interface FixedParameter extends Named {
  readonly kind: 'FIXED';
  readonly value: Value;
  readonly valueType: ValueType;
}

/** One dimension of a search space, with KerasTuner's semantics. Made by the functions of `make-parameter.ts`. */
export type Parameter = FloatParameter | IntParameter | ChoiceParameter | BooleanParameter | FixedParameter;

/** The value that a parameter has when nobody has chosen one. */
export const defaultOf = (parameter: Parameter): Value => (parameter.kind === 'FIXED' ? parameter.value : parameter.default);
