import { checkSpace, defaultOf, identityOf, isActive, valueFault, type Condition, type Parameter, type SearchSpace, type Value, type Values } from '@lockstep/search';
import { TrainingError } from '../errors';

/** Conditions of the scopes that were open together, the outermost first. */
export type Scopes = readonly Condition[];

/**
 * The space that a model-building function declares while it runs, and the values that it gets: KerasTuner's rules.
 *
 * 1. Name and conditions identify a parameter. What is known stays as it is: who declares it again gets its value.
 * 2. Only active parameters have values. One that is declared for the first time has the value that was given for its name, or its default.
 * 3. A parameter that somebody chose beforehand (`preset`) stands for whatever the function declares under its identity, of any kind.
 */
export class SpaceRecorder {
  private readonly known = new Map<string, Parameter>();
  private readonly byName = new Map<string, Parameter[]>();
  private readonly presets: ReadonlySet<string>;
  private readonly current: Map<string, Value>;
  private scopes: Scopes = [];
  /** Scopes that were entered while active, or while not. */
  private readonly entered = { active: new Map<string, Scopes>(), inactive: new Map<string, Scopes>() };

  /**
   * @param space what is known beforehand
   * @param values given ones; those of inactive parameters are ignored
   */
  constructor({ space = [], preset = [], values = new Map() }: { readonly space?: SearchSpace; readonly preset?: SearchSpace; readonly values?: Values } = {}) {
    this.current = new Map(values);
    this.presets = new Set(preset.map(identityOf));
    for (const parameter of preset) this.add(parameter);
    for (const parameter of space) if (!this.known.has(identityOf(parameter))) this.add(parameter);
  }

  /** In the order in which the parameters were declared. */
  get space(): SearchSpace {
    return [...this.known.values()];
  }

  /** Of the active parameters, and those that were given under names that are no parameter's. */
  get values(): Values {
    return new Map([...this.current].filter(([name]) => !this.byName.has(name) || this.isActive(name)));
  }

  get conditions(): Scopes {
    return this.scopes;
  }

  /** The value of a parameter that the function declares now; its default while it is inactive. @throws TrainingError (BAD_ARGUMENT, OUTSIDE_SPACE, SPACE_CHANGED) */
  declare(parameter: Parameter): Value {
    const identity = identityOf(parameter);
    const known = this.known.get(identity);
    if (!known) this.addNew(parameter);
    else if (known.kind !== parameter.kind && !this.presets.has(identity)) throw changed(known, parameter);
    const own = known ?? parameter;
    return isActive(own, this.current) ? (this.current.get(own.name) ?? defaultOf(own)) : defaultOf(parameter);
  }

  /** @throws TrainingError (BAD_ARGUMENT) for a name without a value */
  get(name: string): Value {
    const isKnown = this.byName.has(name);
    const value = !isKnown || this.isActive(name) ? this.current.get(name) : undefined;
    if (value !== undefined) return value;
    throw new TrainingError('BAD_ARGUMENT', isKnown
      ? `hp.get('${name}'): it is inactive with these values: ask only where its conditions hold`
      : `hp.get('${name}'): no such parameter is declared; there are ${this.byName.size === 0 ? 'none yet' : [...this.byName.keys()].join(', ')}`);
  }

  /** Whether a parameter of that name is active. */
  isActive(name: string): boolean {
    return (this.byName.get(name) ?? []).some((parameter) => isActive(parameter, this.current));
  }

  /** Calls a function within the scope of one more condition. @throws TrainingError (BAD_ARGUMENT) for a parent that is not declared */
  within<T>(condition: Condition, scope: (active: boolean) => T): T {
    if (!this.byName.has(condition.parent)) {
      throw new TrainingError('BAD_ARGUMENT', `conditionalScope('${condition.parent}'): no such parameter is declared yet: declare the parent first`);
    }
    if (condition.values.length === 0) throw new TrainingError('BAD_ARGUMENT', `conditionalScope('${condition.parent}'): give the values of ${condition.parent} under which its parameters are active`);
    const outer = this.scopes;
    this.scopes = [...outer, condition];
    const active = isActive({ ...SCOPE, conditions: this.scopes }, this.current);
    this.entered[active ? 'active' : 'inactive'].set(JSON.stringify(this.scopes), this.scopes);
    try {
      return scope(active);
    } finally {
      this.scopes = outer;
    }
  }

  /** A scope that was entered and has never been active, if there is one. */
  get unexplored(): Scopes | undefined {
    return [...this.entered.inactive].find(([key]) => !this.entered.active.has(key))?.[1];
  }

  /** Makes the conditions of a scope hold from here on; it is not looked into a second time. */
  explore(scopes: Scopes): void {
    for (const { parent, values: [value] } of scopes) if (value !== undefined) this.current.set(parent, value);
    this.entered.active.set(JSON.stringify(scopes), scopes);
  }

  private addNew(parameter: Parameter): void {
    // Its parents are declared: else its scope would not be open.
    const [fault] = checkSpace([{ ...parameter, conditions: [] }]);
    if (fault) throw new TrainingError('BAD_ARGUMENT', fault.description);
    if (parameter.conditions.some(({ parent }) => parent === parameter.name)) throw new TrainingError('BAD_ARGUMENT', `parameter '${parameter.name}' cannot be its own parent: give it another name`);
    const given = this.current.get(parameter.name);
    const outside = given !== undefined && isActive(parameter, this.current) ? valueFault(parameter, given) : undefined;
    if (outside !== undefined) throw new TrainingError('OUTSIDE_SPACE', `the given values do not fit the module: ${outside}`);
    this.add(parameter);
  }

  private add(parameter: Parameter): void {
    this.known.set(identityOf(parameter), parameter);
    this.byName.set(parameter.name, [...(this.byName.get(parameter.name) ?? []), parameter]);
    if (!this.current.has(parameter.name) && isActive(parameter, this.current)) this.current.set(parameter.name, defaultOf(parameter));
  }
}

/** What `isActive` asks of is a parameter; a scope is as active as a parameter in it. */
const SCOPE: Parameter = { kind: 'BOOLEAN', name: '', conditions: [], default: false };

const METHODS: Readonly<Record<Parameter['kind'], string>> = { FLOAT: 'Float', INT: 'Int', CHOICE: 'Choice', BOOLEAN: 'Boolean', FIXED: 'Fixed' };

const changed = (known: Parameter, declared: Parameter): TrainingError => new TrainingError('SPACE_CHANGED',
  `parameter '${known.name}' is ${METHODS[known.kind]} in the study's space, and the module declares it as ${METHODS[declared.kind]}: a parameter keeps its type for a whole study. Give the new one another name, or start a new study`);
