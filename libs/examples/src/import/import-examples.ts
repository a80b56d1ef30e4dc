/**
 * Turns a table into examples as TFX lays them out: Split-<name>/data_tfrecord-*, with the schema that was inferred.
 *
 * 1. The same source, seed and options give the same bytes.
 * 2. Nothing is visible before all of it is.
 * 3. The source is read twice, the types first: no row is held longer than it is written.
 */
import { stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ExamplesError, fileError } from '../examples-error';
import { readBytes } from '../records/byte-source';
import { formatSchema } from '../schema/write-schema';
import { ColumnTypes, schemaOf, type ColumnSummary } from './column-types';
import { csvRows } from './csv-rows';
import type { ImportRow } from './import-row';
import { jsonArrayRows, jsonLinesRows } from './json-rows';
import { encodeRow } from './row-encoder';
import { splitChooser, type SplitShares } from './split-choice';
import { SplitWriter } from './split-writer';
import { stageFolder } from './staged-folder';

export interface ImportOptions {
  /** A .csv, .tsv, .json (one array of objects) or .jsonl (one object a line) file. */
  readonly from: string;
  /** Folder to make; it must not exist, or be empty. */
  readonly out: string;
  /** Default: {train: 0.8, eval: 0.2}. */
  readonly splits?: SplitShares;
  /** Which rows go to which split. Default: 0. */
  readonly seed?: number;
  /** Writes gzip. Default: true. */
  readonly gzip?: boolean;
  /** Records of a file before the next one is begun. Default: 65,536. */
  readonly recordsPerFile?: number;
  /** Texts of a CSV or TSV file that stand for a missing value. Default: the empty one. */
  readonly missingValues?: readonly string[];
  /** Rows without a value in one of these columns are left out. Default: none. */
  readonly require?: readonly string[];
  /** Called every thousand rows and at the end of each phase. An error that it throws ends the import. */
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface ImportProgress {
  /** Types are inferred from all rows, and the rows are then written. */
  readonly phase: 'INFER' | 'WRITE';
  readonly rows: number;
  /** Bytes of the source that were read in this phase. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** What was imported; written as statistics.json too. */
export interface ImportSummary {
  /** Rows that were written. */
  readonly rows: number;
  /** Rows without a value in a required column. */
  readonly leftOut: number;
  readonly splits: Readonly<Record<string, { readonly records: number; readonly files: readonly string[] }>>;
  /** Type is null for a column without any value: it is left out of the data and of the schema. */
  readonly columns: readonly { readonly name: string; readonly type: 'INT' | 'FLOAT' | 'BYTES' | null; readonly missing: number }[];
}

const PROGRESS_ROWS = 1000;
const DEFAULT_RECORDS_PER_FILE = 65_536;

/** @throws ExamplesError BAD_ARGUMENT, BAD_ROW, EMPTY_SPLIT, OUTPUT_EXISTS, UNREADABLE_FILE; nothing is visible then */
export async function importExamples(options: ImportOptions): Promise<ImportSummary> {
  const { from, out, splits = { train: 0.8, eval: 0.2 }, seed = 0, gzip = true, recordsPerFile = DEFAULT_RECORDS_PER_FILE, require = [] } = options;
  if (!Number.isSafeInteger(recordsPerFile) || recordsPerFile < 1) throw new ExamplesError('BAD_ARGUMENT', `a file holds at least one record, not ${recordsPerFile}`);
  const chooseSplit = splitChooser(splits, seed);
  const source = await openSource(options);
  return stageFolder(out, async (folder) => {
    const types = new ColumnTypes();
    let leftOut = 0;
    for await (const row of source('INFER')) {
      if (hasAll(row, require)) types.add(row);
      else leftOut++;
    }
    const columns = types.summary();
    const features = schemaOf(columns);
    if (features.length === 0) throw new ExamplesError('BAD_ROW', `${from} holds no row with a value: nothing was written`, { file: from });
    const writers = new Map(Object.keys(splits).map((split) => [split, new SplitWriter({ folder, split, gzip, recordsPerFile })]));
    try {
      for await (const row of source('WRITE')) {
        if (!hasAll(row, require)) continue;
        const record = encodeRow(from, row, features);
        await writers.get(chooseSplit(record))?.write(record);
      }
      const summary = await summarise(from, columns, writers, leftOut);
      await writeFile(join(folder, 'schema.pbtxt'), formatSchema(features));
      await writeFile(join(folder, 'statistics.json'), `${JSON.stringify(summary, null, 2)}\n`);
      return summary;
    } catch (cause) {
      for (const writer of writers.values()) await writer.abandon();
      throw cause;
    }
  });
}

/** A row that names no such column lacks a value too: JSON objects need not have the same keys. */
const hasAll = (row: ImportRow, columns: readonly string[]): boolean => columns.every((name) => (row.cells.get(name)?.kind ?? 'MISSING') !== 'MISSING');

async function summarise(from: string, columns: readonly ColumnSummary[], writers: ReadonlyMap<string, SplitWriter>, leftOut: number): Promise<ImportSummary> {
  const splits: Record<string, { records: number; files: readonly string[] }> = {};
  let rows = 0;
  for (const [split, writer] of writers) {
    if (writer.recordCount === 0) {
      throw new ExamplesError('EMPTY_SPLIT', `split ${split} of ${from} would hold no record: give it a larger share, another seed, or import more rows; nothing was written`, { file: from });
    }
    rows += writer.recordCount;
    splits[split] = { records: writer.recordCount, files: await writer.finish() };
  }
  return { rows, leftOut, splits, columns: columns.map(({ name, type, missing }) => ({ name, type: type ?? null, missing })) };
}

/** How the rows of the source are read, once for each phase. */
async function openSource({ from, missingValues = [''], onProgress }: ImportOptions): Promise<(phase: ImportProgress['phase']) => AsyncGenerator<ImportRow>> {
  const rowsOf = rowReader(from, new Set(missingValues));
  let totalBytes: number;
  try {
    totalBytes = (await stat(from)).size;
  } catch (cause) {
    throw fileError(from, 'read', cause);
  }
  return async function* (phase) {
    let bytes = 0;
    let rows = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of readBytes(from, false)) {
        bytes += chunk.length;
        yield chunk;
      }
    }
    for await (const row of rowsOf(counted())) {
      yield row;
      if (++rows % PROGRESS_ROWS === 0) onProgress?.({ phase, rows, bytes, totalBytes });
    }
    onProgress?.({ phase, rows, bytes, totalBytes });
  };
}

function rowReader(from: string, missingValues: ReadonlySet<string>): (bytes: AsyncIterable<Buffer>) => AsyncGenerator<ImportRow> {
  const extension = extname(from).toLowerCase();
  switch (extension) {
    case '.csv':
      return (bytes) => csvRows(from, bytes, { delimiter: ',', missingValues });
    case '.tsv':
      return (bytes) => csvRows(from, bytes, { delimiter: '\t', missingValues });
    case '.json':
      return (bytes) => jsonArrayRows(from, bytes);
    case '.jsonl':
    case '.ndjson':
      return (bytes) => jsonLinesRows(from, bytes);
    default:
      throw new ExamplesError('BAD_ARGUMENT', `cannot tell the format of ${from} by '${extension}': name it .csv, .tsv, .json or .jsonl`, { file: from });
  }
}
