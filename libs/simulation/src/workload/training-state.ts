/** The state of a simulated job: what members hand to one another and checkpoints hold. */
import { createHash } from 'node:crypto';
import { initialModel, type ModelState } from './model';
import type { Workload } from './workload';

/** A finished call, as the call log holds it. */
export interface LoggedCall {
  readonly kind: string;
  /** Of the call and its arguments. */
  readonly digest: string;
  readonly result: number;
}

/** Where a running fit or evaluation stands. */
export interface RunningCall {
  readonly digest: string;
  readonly epoch: number;
  /** Steps of the call that are applied. */
  readonly step: number;
  /** Rounds of the evaluation, or of the epoch's validation, that are done. */
  readonly validationRound: number;
  readonly validationLoss: number;
  /** Sum of the epoch's losses so far. */
  readonly epochLoss: number;
  /** Of the finished epochs. */
  readonly history: readonly number[];
}

/** What a job has consumed so far. */
export interface Books {
  readonly steps: number;
  readonly rows: number;
  /** Sum of the steps' tallies: which records they were. */
  readonly tally: number;
}

export const NO_BOOKS: Books = { steps: 0, rows: 0, tally: 0 };

export const addToBooks = (books: Books, { rows, tally }: { readonly rows: number; readonly tally: number }): Books =>
  ({ steps: books.steps + 1, rows: books.rows + rows, tally: books.tally + tally });

export interface TrainingState {
  readonly books: Books;
  readonly calls: readonly LoggedCall[];
  /** Null between calls. */
  readonly running: RunningCall | null;
  readonly model: ModelState;
}

export const initialState = (workload: Workload): TrainingState => ({ books: NO_BOOKS, calls: [], running: null, model: initialModel(workload) });

export interface EncodedState {
  readonly bytes: Uint8Array;
  /** SHA-256 in hex. */
  readonly digest: string;
}

export const digestOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

export function encodeState({ books, calls, running, model }: TrainingState): EncodedState {
  const parts = [model.weights, model.velocity, model.statistics];
  const header = Buffer.from(JSON.stringify({ books, calls, running, lengths: parts.map(({ length }) => length) }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(header.byteLength);
  const bytes = Buffer.concat([size, header, ...parts.map(bytesOf)]);
  return { bytes, digest: digestOf(bytes) };
}

/** @throws RangeError when the bytes are no state */
export function decodeState(encoded: Uint8Array): TrainingState {
  const bytes = Buffer.from(encoded);
  const header = bytes.readUInt32LE(0);
  const { books, calls, running, lengths } = JSON.parse(bytes.subarray(4, 4 + header).toString()) as Omit<TrainingState, 'model'> & { readonly lengths: readonly number[] };
  let offset = 4 + header;
  const [weights, velocity, statistics] = lengths.map((length) => {
    const part = Float32Array.from({ length }, (_, i) => bytes.readFloatLE(offset + 4 * i));
    offset += 4 * length;
    return part;
  });
  if (!weights || !velocity || !statistics) throw new RangeError('a state has three parts');
  return { books, calls, running, model: { weights, velocity, statistics } };
}
