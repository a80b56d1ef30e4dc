import { encodeExample } from '../example/encode-example';
import type { FeatureValue } from '../example/feature-value';
import type { SchemaFeature } from '../schema/schema';
import { readNumber } from './column-types';
import { badRow, type Cell, type ImportRow } from './import-row';

/**
 * The tf.Example of a row. A missing value is a Feature with no kind set, as TFX's CsvExampleGen writes it.
 *
 * @throws ExamplesError BAD_ROW for a number that float32 cannot hold
 */
export function encodeRow(file: string, row: ImportRow, features: readonly SchemaFeature[]): Uint8Array {
  return encodeExample(new Map(features.map((feature) => [feature.name, toFeature(file, row.line, feature, row.cells.get(feature.name) ?? { kind: 'MISSING' })])));
}

function toFeature(file: string, line: number, { name, type }: SchemaFeature, cell: Cell): FeatureValue {
  if (cell.kind === 'MISSING') return { kind: 'none' };
  switch (type) {
    case 'BYTES':
      return { kind: 'bytes', values: [Buffer.from(cell.kind === 'NUMBER' ? String(cell.value) : cell.text, 'utf8')] };
    case 'INT':
      return { kind: 'int64', values: [numberOf(cell) ?? 0] };
    case 'FLOAT': {
      const value = Number(numberOf(cell));
      if (!Number.isFinite(Math.fround(value))) throw badRow(file, line, `column '${name}' holds ${value}, which is too large for float32`);
      return { kind: 'float', values: [value] };
    }
  }
}

const numberOf = (cell: Exclude<Cell, { kind: 'MISSING' }>): number | bigint | undefined => (cell.kind === 'NUMBER' ? cell.value : readNumber(cell.text)?.value);
