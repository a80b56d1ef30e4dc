import type { Columns, ParseSpec } from '../example/parse-spec';

/** Records of files, in the order in which they become rows. */
export interface RowRequest {
  /** Paths on this machine. */
  readonly files: readonly string[];
  /** For each row, the index of its file and the number of its record in it. */
  readonly fileOfRow: Uint32Array;
  readonly recordOfRow: Float64Array;
  readonly spec: ParseSpec;
}

/** Reads and parses records. */
export interface RowReader {
  /**
   * The rows of a request as columns that the caller owns.
   *
   * @throws ExamplesError naming file, record and check; DEADLINE, READER_LOST, CLOSED
   */
  read(request: RowRequest): Promise<Columns>;
  /** Frees files, memory and threads. Reads that are under way are refused as CLOSED. */
  close(): Promise<void>;
}
