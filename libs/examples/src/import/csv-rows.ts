import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { badRow, MAX_ROW_CHARACTERS, type Cell, type ImportRow } from './import-row';

export interface CsvOptions {
  readonly delimiter: string;
  /** Texts that stand for a missing value. */
  readonly missingValues: ReadonlySet<string>;
}

/** A row with `info: true`. */
interface ParsedRow {
  readonly info: { readonly lines: number };
  readonly record: Readonly<Record<string, string>>;
}

/**
 * Rows of a CSV file with a header (RFC 4180; a byte order mark is passed over, empty lines too).
 *
 * @throws ExamplesError BAD_ROW
 */
export async function* csvRows(file: string, bytes: AsyncIterable<Buffer>, { delimiter, missingValues }: CsvOptions): AsyncGenerator<ImportRow> {
  let columns: readonly string[] = [];
  const parser = parse({
    bom: true, info: true, skip_empty_lines: true, delimiter, max_record_size: MAX_ROW_CHARACTERS,
    columns: (header: string[]) => {
      columns = checkHeader(file, header);
      return header;
    },
  });
  // An error of the source destroys the parser, and so reaches whoever iterates.
  const fed = pipeline(Readable.from(bytes), parser).catch(() => undefined);
  try {
    for await (const { info, record } of parser as AsyncIterable<ParsedRow>) {
      const cells = columns.map((column): [string, Cell] => {
        const text = record[column] ?? '';
        return [column, missingValues.has(text) ? { kind: 'MISSING' } : { kind: 'TEXT', text }];
      });
      yield { line: info.lines, cells: new Map(cells) };
    }
  } catch (cause) {
    if (cause instanceof CsvError) throw badRow(file, lineOf(cause), `no CSV (${cause.message})`, { cause });
    throw cause;
  } finally {
    parser.destroy();
    await fed;
  }
}

function checkHeader(file: string, header: readonly string[]): readonly string[] {
  const empty = header.indexOf('');
  if (empty >= 0) throw badRow(file, 1, `column ${empty + 1} of the header has no name`);
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) throw badRow(file, 1, `the header names column '${twice}' twice`);
  return header;
}

const lineOf = (error: CsvError): number => (typeof error['lines'] === 'number' ? error['lines'] : 1);
