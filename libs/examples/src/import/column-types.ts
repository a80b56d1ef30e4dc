import type { SchemaFeature } from '../schema/schema';
import type { Cell, ImportRow } from './import-row';

/** What a text without type says. */
export type TextNumber = { readonly kind: 'INT'; readonly value: number | bigint } | { readonly kind: 'FLOAT'; readonly value: number };

// No leading zeros: 02134 is a code, not a number, and would not come back.
const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/;
const DECIMAL = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text says: an integer of up to 64 bits, or a decimal. */
export function readNumber(text: string): TextNumber | undefined {
  if (INTEGER.test(text)) {
    const value = BigInt(text);
    if (BigInt.asIntN(64, value) === value) return { kind: 'INT', value: Number.isSafeInteger(Number(value)) ? Number(value) : value };
  }
  return DECIMAL.test(text) ? { kind: 'FLOAT', value: Number(text) } : undefined;
}

/** A column, after all rows. */
export interface ColumnSummary {
  readonly name: string;
  /** Undefined when no row has a value. */
  readonly type: SchemaFeature['type'] | undefined;
  /** Rows without a value. */
  readonly missing: number;
}

const WIDTH: Readonly<Record<SchemaFeature['type'], number>> = { INT: 0, FLOAT: 1, BYTES: 2 };

function typeOf(cell: Exclude<Cell, { kind: 'MISSING' }>): SchemaFeature['type'] {
  switch (cell.kind) {
    case 'TEXT':
      return readNumber(cell.text)?.kind ?? 'BYTES';
    case 'NUMBER':
      return Number.isSafeInteger(cell.value) ? 'INT' : 'FLOAT';
    case 'STRING':
      return 'BYTES';
  }
}

/** Finds the narrowest type that holds every value of each column: INT, then FLOAT, then BYTES. */
export class ColumnTypes {
  private readonly columns = new Map<string, { type: SchemaFeature['type'] | undefined; values: number }>();
  private rows = 0;

  add({ cells }: ImportRow): void {
    this.rows++;
    for (const [name, cell] of cells) {
      const column = this.columns.get(name) ?? { type: undefined, values: 0 };
      this.columns.set(name, column);
      if (cell.kind === 'MISSING') continue;
      const type = typeOf(cell);
      column.values++;
      if (column.type === undefined || WIDTH[type] > WIDTH[column.type]) column.type = type;
    }
  }

  /** In the order in which the columns were first seen. */
  summary(): readonly ColumnSummary[] {
    return [...this.columns].map(([name, { type, values }]) => ({ name, type, missing: this.rows - values }));
  }
}

/** The schema of imported columns; those without any value are left out. */
export const schemaOf = (columns: readonly ColumnSummary[]): readonly SchemaFeature[] =>
  columns.flatMap(({ name, type, missing }): SchemaFeature[] => {
    if (type === undefined) return [];
    return missing === 0
      ? [{ name, type, disabled: false, presence: { minFraction: 1, minCount: 1 }, shape: [1] }]
      : [{ name, type, disabled: false, presence: { minCount: 1 }, valueCount: { min: 1, max: 1 } }];
  });
