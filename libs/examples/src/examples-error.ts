/** Why data could not be read, parsed, imported or written. */
export type ExamplesErrorReason =
  /** The file does not exist, or this process may not read or write it. */
  | 'UNREADABLE_FILE'
  /** The file ends within a record. */
  | 'TRUNCATED'
  /** A checksum does not fit. */
  | 'CORRUPT'
  /** The file starts as gzip does, and is none. */
  | 'BAD_GZIP'
  | 'RECORD_TOO_LARGE'
  | 'NO_SUCH_RECORD'
  /** A record that is no tf.Example. */
  | 'BAD_EXAMPLE'
  | 'MISSING_FEATURE'
  | 'WRONG_TYPE'
  /** Another number of values than the feature's shape holds. */
  | 'WRONG_LENGTH'
  /** An integer that the wanted type cannot hold. */
  | 'OUT_OF_RANGE'
  | 'BAD_SCHEMA'
  /** A schema that is valid, and says what cannot be parsed here. */
  | 'UNSUPPORTED_SCHEMA'
  /** A row of a CSV or JSON file. */
  | 'BAD_ROW'
  | 'BAD_ARGUMENT'
  /** A split that would have no record. */
  | 'EMPTY_SPLIT'
  | 'OUTPUT_EXISTS'
  /** No file where files were expected. */
  | 'NO_FILES'
  /** A reader thread ended. */
  | 'READER_LOST'
  | 'DEADLINE'
  /** Asked for after close(). */
  | 'CLOSED';

/** Where it went wrong, for programs; the message says it in words. */
export interface ExamplesErrorDetails {
  readonly file?: string;
  /** Number of the record in the file, from 0. */
  readonly record?: number;
  /** Where the record's frame starts, in bytes; of a gzip file in the decompressed bytes. */
  readonly offset?: number;
  /** Which check failed. */
  readonly check?: 'length CRC' | 'data CRC' | 'length';
  readonly feature?: string;
  /** In a text file; lines and columns count from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** Data or its description is at fault: the message names the place and what to do. */
export class ExamplesError extends Error {
  override readonly name = 'ExamplesError';
  constructor(
    readonly reason: ExamplesErrorReason,
    message: string,
    readonly details: ExamplesErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the operating system said about a file, as an ExamplesError; an ExamplesError stays itself. */
export function fileError(file: string, what: 'read' | 'write', cause: unknown): ExamplesError {
  if (cause instanceof ExamplesError) return cause;
  return new ExamplesError('UNREADABLE_FILE', `cannot ${what} ${file}: ${messageOf(cause)}. Check that the path exists, that this process may ${what} it, and that the disk has room`, { file }, { cause });
}

/** Code of an error of the operating system or of zlib; by its shape, since it may stem from another realm. */
export const systemCode = (cause: unknown): string | undefined =>
  typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;

/** What an error says, whatever was thrown. */
export const messageOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'message' in cause && typeof cause.message === 'string' ? cause.message : String(cause);
