import { ExamplesError } from '../examples-error';

/** A value of a table: null where the source says that there is none; text where the source has no types. */
export type Cell =
  | { readonly kind: 'MISSING' }
  /** Of a file without types: it may say a number. */
  | { readonly kind: 'TEXT'; readonly text: string }
  | { readonly kind: 'STRING'; readonly text: string }
  | { readonly kind: 'NUMBER'; readonly value: number };

/** A row of the source, by column. */
export interface ImportRow {
  /** Line of the file on which the row ends (CSV) or starts (JSON), from 1. */
  readonly line: number;
  readonly cells: ReadonlyMap<string, Cell>;
}

/** Longest row that is read, in characters: a quote that is never closed must not swallow the file. */
export const MAX_ROW_CHARACTERS = 16 << 20;

/** @throws ExamplesError BAD_ROW with file and line */
export function badRow(file: string, line: number, problem: string, options?: ErrorOptions): ExamplesError {
  return new ExamplesError('BAD_ROW', `${file}:${line}: ${problem}: correct the file and import it again; nothing was written`, { file, line }, options);
}
