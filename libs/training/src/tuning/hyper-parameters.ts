import {
  booleanParameter, choiceParameter, fixedParameter, floatParameter, formatHyperparameters, intParameter, parseHyperparameters, SearchError,
  type Condition, type Parameter, type RangeOptions, type Sampling, type SearchSpace, type Value, type Values,
} from '@lockstep/search';
import { TrainingError } from '../errors';
import { OptionReader } from '../options';
import { SpaceRecorder } from './space-recorder';

/** Makes a parameter conditional without a scope around it. */
export interface ParentOptions {
  /** Name of a parameter that is declared already. */
  readonly parentName?: string;
  /** The values of the parent under which this parameter is active. */
  readonly parentValues?: Value | readonly Value[];
}

/** The options of `hp.Int` and `hp.Float`. */
export interface RangeParameterOptions extends ParentOptions {
  readonly minValue: number;
  /** Included. */
  readonly maxValue: number;
  /** Distance of neighbouring values; under `log` and `reverse_log` their ratio. Default: 1 for a linear Int, otherwise none. */
  readonly step?: number;
  /** Default: `linear`. */
  readonly sampling?: 'linear' | 'log' | 'reverse_log';
  /** Default: minValue. */
  readonly default?: number;
}

export interface ChoiceParameterOptions<T extends Value> extends ParentOptions {
  /** Whether neighbours in the list are alike. Default: true for numbers; other values have no order. */
  readonly ordered?: boolean;
  /** Default: the first value. */
  readonly default?: T;
}

export interface BooleanParameterOptions extends ParentOptions {
  /** Default: false. */
  readonly default?: boolean;
}

/** What KerasTuner's `HyperParameters.get_config()` gives. */
export interface HyperParametersConfig {
  readonly space: readonly { readonly class_name: string; readonly config: Readonly<Record<string, unknown>> }[];
  readonly values: Readonly<Record<string, Value>>;
}

const RANGE_NAMES = ['minValue', 'maxValue', 'step', 'sampling', 'default', 'parentName', 'parentValues'] as const;
const SAMPLINGS: Readonly<Record<NonNullable<RangeParameterOptions['sampling']>, Sampling>> = { linear: 'LINEAR', log: 'LOG', reverse_log: 'REVERSE_LOG' };

const isList = (values: unknown): boolean => Array.isArray(values);

/**
 * The search space of a model, and a value of each of its active parameters: KerasTuner's class, with its methods' options in camelCase.
 * A model-building function declares its parameters where it needs their values. All methods throw TrainingError: BAD_ARGUMENT for
 * what cannot be a parameter, OUTSIDE_SPACE for a given value that the module does not take, SPACE_CHANGED when a parameter is of
 * another kind than in the study's space.
 */
export class HyperParameters {
  private readonly recorder: SpaceRecorder;
  private nameScopes: readonly string[] = [];

  /** @param recorder what is known beforehand; by default nothing */
  constructor(recorder: SpaceRecorder = new SpaceRecorder()) {
    this.recorder = recorder;
  }

  /** From what `getConfig()` gave, or `fnArgs.hyperparameters` of a job that trains what a tuner found. */
  static fromConfig(config: Readonly<Record<string, unknown>>): HyperParameters {
    try {
      return new HyperParameters(new SpaceRecorder(parseHyperparameters(JSON.stringify(config), 'config')));
    } catch (e) {
      if (e instanceof SearchError) throw new TrainingError('BAD_ARGUMENT', `HyperParameters.fromConfig(): ${e.message}`, {}, { cause: e });
      throw e;
    }
  }

  /** KerasTuner's form, fit for JSON. */
  getConfig(): HyperParametersConfig {
    return JSON.parse(formatHyperparameters({ space: this.space, values: this.values })) as HyperParametersConfig;
  }

  /** What was declared so far. */
  get space(): SearchSpace {
    return this.recorder.space;
  }

  /** Of the active parameters, by name. */
  get values(): Values {
    return this.recorder.values;
  }

  /** The value of an active parameter, declared before; its name is taken within the open name scopes. */
  get(name: string): Value {
    return this.recorder.get(this.scoped(name));
  }

  /** An integer from minValue to maxValue. */
  Int(name: string, options: RangeParameterOptions): number {
    return this.range('Int', name, options, intParameter);
  }

  /** A number from minValue to maxValue. */
  Float(name: string, options: RangeParameterOptions): number {
    return this.range('Float', name, options, floatParameter);
  }

  /** One of some values, all of one type. */
  Choice<const T extends Value>(name: string, values: readonly T[], options: ChoiceParameterOptions<T> = {}): T {
    const read = new OptionReader(`hp.Choice('${name}')`, options, ['ordered', 'default', 'parentName', 'parentValues']);
    if (!isList(values)) throw read.refuse('the second argument is the list of its values');
    const given = this.declare(options, (conditions) => choiceParameter(this.scoped(name), values, { ordered: options.ordered, default: options.default, conditions }));
    const value = values.find((one) => one === given);
    if (value === undefined) throw read.refuse(`its value was set to ${JSON.stringify(given)} beforehand, which is none of ${JSON.stringify(values)}: add it to the values, or set another`);
    return value;
  }

  Boolean(name: string, options: BooleanParameterOptions = {}): boolean {
    const read = new OptionReader(`hp.Boolean('${name}')`, options, ['default', 'parentName', 'parentValues']);
    const value = this.declare(options, (conditions) => booleanParameter(this.scoped(name), { default: read.boolean('default'), conditions }));
    if (typeof value !== 'boolean') throw read.refuse(`its value was set to ${JSON.stringify(value)} beforehand: set true or false`);
    return value;
  }

  /** A value that is not searched, but kept with each trial. Set beforehand, it stands for whatever the model declares under its name. */
  Fixed<const T extends Value>(name: string, value: T, options: ParentOptions = {}): T {
    const read = new OptionReader(`hp.Fixed('${name}')`, options, ['parentName', 'parentValues']);
    if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') throw read.refuse('its value is a number, a string or a boolean');
    const found = this.declare(options, (conditions) => fixedParameter(this.scoped(name), value, { conditions }));
    if (typeof found !== typeof value) throw read.refuse(`its value was set to ${JSON.stringify(found)} beforehand, which is no ${typeof value}`);
    // Set beforehand, another value of the same type: that is what presets are for.
    return found as T;
  }

  /**
   * Declares parameters that are active only while `parentName` has one of the values. As in KerasTuner the function is called in
   * either case, so that its parameters are known: what shall not happen while the scope is inactive asks `active`. Parameters
   * that are inactive have their defaults in it.
   * @returns what the function returns, undefined while the scope is inactive
   */
  conditionalScope<T>(parentName: string, parentValues: Value | readonly Value[], scope: (active: boolean) => T): T | undefined {
    return this.recorder.within(this.condition(parentName, parentValues), (active) => {
      const result = scope(active);
      return active ? result : undefined;
    });
  }

  /** Puts a name and '/' in front of the names of all parameters that the function declares. */
  nameScope<T>(name: string, scope: () => T): T {
    const outer = this.nameScopes;
    this.nameScopes = [...outer, name];
    try {
      return scope();
    } finally {
      this.nameScopes = outer;
    }
  }

  private range(method: string, name: string, options: RangeParameterOptions, make: (name: string, options: RangeOptions) => Parameter): number {
    const read = new OptionReader(`hp.${method}('${name}')`, options, RANGE_NAMES);
    const sampling = SAMPLINGS[read.oneOf('sampling', ['linear', 'log', 'reverse_log'], 'linear')];
    const value = this.declare(options, (conditions) => make(this.scoped(name), {
      min: read.number('minValue'), max: read.number('maxValue'), step: read.optionalNumber('step') ?? undefined, sampling, default: read.optionalNumber('default') ?? undefined, conditions,
    }));
    if (typeof value !== 'number') throw read.refuse(`its value was set to ${JSON.stringify(value)} beforehand: set a number`);
    return value;
  }

  private declare({ parentName, parentValues }: ParentOptions, make: (conditions: readonly Condition[]) => Parameter): Value {
    const here = (): Value => this.recorder.declare(make(this.recorder.conditions));
    if ((parentName === undefined) !== (parentValues === undefined)) throw new TrainingError('BAD_ARGUMENT', 'parentName and parentValues go together: give both, or neither');
    return parentName === undefined || parentValues === undefined ? here() : this.recorder.within(this.condition(parentName, parentValues), here);
  }

  private condition(parentName: string, parentValues: Value | readonly Value[]): Condition {
    return { parent: this.scoped(parentName), values: typeof parentValues === 'object' ? [...parentValues] : [parentValues] };
  }

  private scoped(name: string): string {
    if (typeof name !== 'string') throw new TrainingError('BAD_ARGUMENT', `the name of a parameter is a string, got ${typeof name}`);
    return [...this.nameScopes, name].join('/');
  }
}
