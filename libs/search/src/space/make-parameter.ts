import { commonType, type Value, type ValueType } from './value';
import type {
  BooleanParameter, ChoiceParameter, Condition, FixedParameter, FloatParameter, IntParameter, Sampling,
} from './parameter';

/** Leaves out what KerasTuner fills in. */
export interface RangeOptions {
  readonly min: number;
  readonly max: number;
  readonly step?: number | undefined;
  /** LINEAR when left out. */
  readonly sampling?: Sampling | undefined;
  /** `min` when left out. */
  readonly default?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}

/** A real number of [min, max]. Nothing is checked here: see `checkSpace`. */
export const floatParameter = (name: string, options: RangeOptions): FloatParameter => ({ kind: 'FLOAT', name, ...range(options, options.step) });

/** An integer of [min, max], step 1 when LINEAR and none is given. */
export const intParameter = (name: string, options: RangeOptions): IntParameter =>
  ({ kind: 'INT', name, ...range(options, options.step ?? ((options.sampling ?? 'LINEAR') === 'LINEAR' ? 1 : undefined)) });

function range(options: RangeOptions, step: number | undefined): Omit<FloatParameter, 'kind' | 'name'> {
  const { min, max, sampling = 'LINEAR', conditions = [] } = options;
  return { conditions, min, max, ...(step !== undefined && { step }), sampling, default: options.default ?? min };
}

/** What a choice may say beyond its values. */
export interface ChoiceOptions {
  /** The first value when left out. */
  readonly default?: Value | undefined;
  /** Whether neighbours are alike; when left out, true for numbers. */
  readonly ordered?: boolean | undefined;
  /** Told by the values when left out; say FLOAT where floats happen to be whole numbers. */
  readonly valueType?: ValueType | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}

/** One of some values. An empty list or one of mixed types passes here and is refused by `checkSpace`. */
export function choiceParameter(name: string, values: readonly Value[], options: ChoiceOptions = {}): ChoiceParameter {
  const valueType = options.valueType ?? commonType(values) ?? 'STRING';
  const ordered = options.ordered ?? (valueType === 'INT' || valueType === 'FLOAT');
  return { kind: 'CHOICE', name, conditions: options.conditions ?? [], values, valueType, ordered, default: options.default ?? values[0] ?? '' };
}

/** True or false; false when nobody chooses and no default is given. */
export const booleanParameter = (name: string, options: { readonly default?: boolean | undefined; readonly conditions?: readonly Condition[] | undefined } = {}): BooleanParameter =>
  ({ kind: 'BOOLEAN', name, conditions: options.conditions ?? [], default: options.default ?? false });

/** One value, not searched. */
export const fixedParameter = (name: string, value: Value, options: { readonly valueType?: ValueType | undefined; readonly conditions?: readonly Condition[] | undefined } = {}): FixedParameter =>
  ({ kind: 'FIXED', name, conditions: options.conditions ?? [], value, valueType: options.valueType ?? commonType([value]) ?? 'STRING' });
