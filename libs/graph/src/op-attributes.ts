import type { DataTypeNumber } from './data-type';
import { typeAttr, type AttrValue } from './graph-def';
import type { NativeAttr } from './native-backend';
import type { AttrKind, OpDefinition } from './op-definition';

/** Attributes of a node, and what was wrong with them. */
export interface ResolvedAttrs {
  readonly attrs: Readonly<Record<string, AttrValue>>;
  /** Sentences; empty when all attributes agree with the definition. */
  readonly problems: readonly string[];
}

/**
 * Turns the attributes of an eager call into those of a graph node.
 *
 * Attributes that follow from inputs come from the real inputs, whatever the caller said: kernels of TensorFlow.js name
 * types that eager mode overrules (a comparison of two bools passes T = float, for one), and a graph would not load.
 */
export function resolveAttrs(
  op: string,
  definition: OpDefinition,
  given: readonly NativeAttr[],
  inputTypes: readonly DataTypeNumber[],
): ResolvedAttrs {
  const attrs: Record<string, AttrValue> = {};
  const problems: string[] = [];
  for (const { name, value } of given) {
    const kind = definition.attrs[name];
    if (kind === undefined) {
      problems.push(`${op} has no attribute ${name}`);
      continue;
    }
    const converted = convert(kind, value);
    if (converted === undefined) problems.push(`attribute ${name} of ${op} is a ${kind}, and the kernel passes ${describe(value)}`);
    else attrs[name] = converted;
  }

  let position = 0;
  for (const input of definition.inputs) {
    // An input of several tensors takes what the other inputs, of one tensor each, leave.
    const many = input.count !== undefined || input.types !== undefined;
    const count = many ? inputTypes.length - (definition.inputs.length - 1) : 1;
    const types = inputTypes.slice(position, position + count);
    const first = types[0];
    if (input.count !== undefined) attrs[input.count] = { kind: 'int', value: count };
    if (input.types !== undefined) attrs[input.types] = { kind: 'list(type)', value: types };
    if (input.type !== undefined && first !== undefined) attrs[input.type] = typeAttr(first);
    position += count;
  }
  if (position !== inputTypes.length) problems.push(`${op} takes ${position} inputs, and the kernel passes ${inputTypes.length}`);
  return { attrs, problems };
}

function convert(kind: AttrKind, value: unknown): AttrValue | undefined {
  switch (kind) {
    case 'string': return typeof value === 'string' ? { kind, value } : undefined;
    case 'int': return isInteger(value) ? { kind, value } : undefined;
    case 'float': return typeof value === 'number' ? { kind, value } : undefined;
    case 'bool': return typeof value === 'boolean' ? { kind, value } : undefined;
    case 'type': return isInteger(value) ? { kind, value } : undefined;
    case 'shape': return listOf(value, isInteger, (list) => ({ kind, value: list }));
    case 'list(string)': return listOf(value, (item) => typeof item === 'string', (list) => ({ kind, value: list }));
    case 'list(int)': return listOf(value, isInteger, (list) => ({ kind, value: list }));
    case 'list(float)': return listOf(value, (item) => typeof item === 'number', (list) => ({ kind, value: list }));
    case 'list(bool)': return listOf(value, (item) => typeof item === 'boolean', (list) => ({ kind, value: list }));
    case 'list(type)': return listOf(value, isInteger, (list) => ({ kind, value: list }));
    case 'list(shape)':
    case 'tensor':
    case 'list(tensor)':
    case 'func':
    case 'list(func)':
      return undefined; // The addon cannot pass them.
  }
}

const isInteger = (value: unknown): value is number => Number.isInteger(value);

function listOf<T>(value: unknown, isItem: (item: unknown) => item is T, make: (list: readonly T[]) => AttrValue): AttrValue | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: readonly unknown[] = value;
  return items.every(isItem) ? make(items) : undefined;
}

const describe = (value: unknown): string => `${JSON.stringify(value)} (${Array.isArray(value) ? 'a list' : typeof value})`;
