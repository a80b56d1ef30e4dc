import type { Violation } from '../search-error';
import type { Parameter } from './parameter';
import { describe, identityOf } from './parameter-identity';
import type { SearchSpace } from './search-space';

/** What becomes of a space of which a trial has shown more. */
export type SpaceMerge =
  | {
    readonly kind: 'MERGED';
    /** The known parameters, untouched and in place, and the new ones after them. */
    readonly space: SearchSpace;
    readonly added: readonly Parameter[];
    /** Found with another range, other choices or another default than the study knows. As in KerasTuner, the study's stand. */
    readonly overruled: readonly Parameter[];
  }
  /** A parameter has become one of another type: values found so far would mean nothing. */
  | { readonly kind: 'REFUSED'; readonly violations: readonly Violation[] };

/**
 * Adds the parameters that `found` has beyond `known`. The same name under other conditions is another parameter. The result is
 * still to be checked (`checkSpace`).
 */
export function mergeSpace(known: SearchSpace, found: SearchSpace): SpaceMerge {
  const byIdentity = new Map(known.map((parameter) => [identityOf(parameter), parameter]));
  const added: Parameter[] = [];
  const overruled: Parameter[] = [];
  const violations: Violation[] = [];
  found.forEach((parameter, index) => {
    const before = byIdentity.get(identityOf(parameter));
    if (!before) {
      added.push(parameter);
      byIdentity.set(identityOf(parameter), parameter);
    } else if (typeOf(before) !== typeOf(parameter)) {
      violations.push({ field: `space[${index}]`, description: `parameter ${describe(parameter)} is of type ${typeOf(parameter)}, but this study knows it as ${typeOf(before)}: give it another name, or start another study` });
    } else if (JSON.stringify(shape(before)) !== JSON.stringify(shape(parameter))) {
      overruled.push(parameter);
    }
  });
  return violations.length > 0 ? { kind: 'REFUSED', violations } : { kind: 'MERGED', space: [...known, ...added], added, overruled };
}

function typeOf(parameter: Parameter): string {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': case 'BOOLEAN': return parameter.kind;
    case 'CHOICE': case 'FIXED': return `${parameter.kind} of ${parameter.valueType}`;
  }
}

function shape(parameter: Parameter): readonly unknown[] {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': return [parameter.min, parameter.max, parameter.step, parameter.sampling, parameter.default];
    case 'CHOICE': return [parameter.values, parameter.ordered, parameter.default];
    case 'BOOLEAN': return [parameter.default];
    case 'FIXED': return [parameter.value];
  }
}
