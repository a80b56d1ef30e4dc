import type { Columns } from '../example/parse-spec';
import { ExamplesError, messageOf, type ExamplesErrorDetails, type ExamplesErrorReason } from '../examples-error';
import type { RecordStoreOptions } from '../records/record-store';
import type { RowRequest } from './row-reader';

/** What a reader thread is started with. */
export type ReaderThreadData = RecordStoreOptions;

/** From the pool to a thread. */
export interface ReadMessage {
  readonly id: number;
  readonly request: RowRequest;
}

/** An error on its way between threads: structured clone keeps neither class nor fields. */
export type SentError =
  | { readonly kind: 'EXAMPLES'; readonly reason: ExamplesErrorReason; readonly message: string; readonly details: ExamplesErrorDetails }
  | { readonly kind: 'OTHER'; readonly message: string };

/** From a thread to the pool. */
export type ReadReply =
  | { readonly id: number; readonly kind: 'ROWS'; readonly columns: Columns }
  | { readonly id: number; readonly kind: 'FAILED'; readonly error: SentError };

export function sendError(error: unknown): SentError {
  if (error instanceof ExamplesError) return { kind: 'EXAMPLES', reason: error.reason, message: error.message, details: error.details };
  return { kind: 'OTHER', message: messageOf(error) };
}

export function receiveError(sent: SentError): Error {
  switch (sent.kind) {
    case 'EXAMPLES':
      return new ExamplesError(sent.reason, sent.message, sent.details);
    case 'OTHER':
      return new Error(`a reader thread failed: ${sent.message}`);
  }
}

/** The memory behind columns, to be moved rather than copied. */
export function buffersOf({ columns }: Columns): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  const add = ({ buffer }: ArrayBufferView): void => {
    if (buffer instanceof ArrayBuffer) buffers.push(buffer);
  };
  for (const column of columns.values()) {
    if (column.dtype === 'string') {
      add(column.bytes);
      add(column.offsets);
    } else add(column.values);
    if (column.kind === 'VAR_LEN') add(column.rowSplits);
  }
  return buffers;
}
