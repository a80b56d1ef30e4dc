import { ExamplesError } from '../examples-error';
import { parseExamples } from '../example/parse-examples';
import type { Columns } from '../example/parse-spec';
import { RecordStore, type RecordStoreOptions } from '../records/record-store';
import type { RowReader, RowRequest } from './row-reader';

/** Reads and parses on the calling thread: what a reader thread runs, and what tests and tools take as it is. */
export class InProcessReader implements RowReader {
  private readonly store: RecordStore;
  private closed = false;

  constructor(options: RecordStoreOptions) {
    this.store = new RecordStore(options);
  }

  async read({ files, fileOfRow, recordOfRow, spec }: RowRequest): Promise<Columns> {
    const indices = await Promise.all(files.map((file) => this.store.open(file)));
    if (this.closed) throw new ExamplesError('CLOSED', 'the reader was closed while it read');
    const records = Array.from(fileOfRow, (file, row) => {
      const index = indices[file];
      if (!index) throw new ExamplesError('BAD_ARGUMENT', `row ${row} is of file ${file}, and the request names ${files.length} files`);
      return this.store.read(index, recordOfRow[row] ?? 0);
    });
    return parseExamples(records, spec, (row) => ({ file: files[fileOfRow[row] ?? 0] ?? '', record: recordOfRow[row] ?? 0 }));
  }

  close(): Promise<void> {
    this.closed = true;
    this.store.close();
    return Promise.resolve();
  }
}
