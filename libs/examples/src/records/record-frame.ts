/**
 * TFRecord framing: u64le length, masked CRC-32C of the length, data, masked CRC-32C of the data.
 *
 * @see tensorflow/core/lib/io/record_writer.h
 */
import { ExamplesError, type ExamplesErrorDetails } from '../examples-error';
import { maskedCrc32c } from './crc32c';

/** Bytes before the data: the length and its CRC. */
export const HEADER_BYTES = 12;
/** Bytes after the data: its CRC. */
export const FOOTER_BYTES = 4;
/** A longer record is taken for damage, not for data. */
export const MAX_RECORD_BYTES = 1 << 30;

/** Where a frame lies, for errors. */
export interface FramePlace {
  readonly file: string;
  readonly record: number;
  readonly offset: number;
}

const WHAT_TO_DO = 'copy or write the file again, or take it out of the split';

const words = ({ file, record, offset }: FramePlace): string => `record ${record} of ${file} (at byte ${offset})`;

const refuse = (reason: 'TRUNCATED' | 'CORRUPT' | 'RECORD_TOO_LARGE', place: FramePlace, check: ExamplesErrorDetails['check'] & string, message: string): ExamplesError =>
  new ExamplesError(reason, `${words(place)} ${message}: ${WHAT_TO_DO}`, { ...place, check });

/** @throws ExamplesError TRUNCATED: the file ends within a frame */
export function truncated(place: FramePlace, missing: 'header' | 'data'): ExamplesError {
  return refuse('TRUNCATED', place, 'length', `is truncated: the file ends within its ${missing}`);
}

/** Length of the data of the frame at `start`. @throws ExamplesError CORRUPT, RECORD_TOO_LARGE */
export function dataLength(bytes: Buffer, start: number, place: FramePlace): number {
  if (bytes.readUInt32LE(start + 8) !== maskedCrc32c(bytes, start, start + 8)) {
    throw refuse('CORRUPT', place, 'length CRC', 'is corrupt: the CRC of its length does not fit (is this a TFRecord file?)');
  }
  const length = bytes.readUInt32LE(start) + bytes.readUInt32LE(start + 4) * 2 ** 32;
  if (length > MAX_RECORD_BYTES) throw refuse('RECORD_TOO_LARGE', place, 'length', `has ${length} bytes, more than the ${MAX_RECORD_BYTES} that are read`);
  return length;
}

/** Checks the data's CRC. @throws ExamplesError CORRUPT */
export function checkData(bytes: Buffer, from: number, to: number, place: FramePlace): void {
  if (bytes.readUInt32LE(to) !== maskedCrc32c(bytes, from, to)) {
    throw refuse('CORRUPT', place, 'data CRC', 'is corrupt: the CRC of its data does not fit');
  }
}

/** The frame around a record. */
export function encodeFrame(data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + data.length + FOOTER_BYTES);
  frame.writeUInt32LE(data.length % 2 ** 32, 0);
  frame.writeUInt32LE(Math.floor(data.length / 2 ** 32), 4);
  frame.writeUInt32LE(maskedCrc32c(frame, 0, 8), 8);
  frame.set(data, HEADER_BYTES);
  frame.writeUInt32LE(maskedCrc32c(data), HEADER_BYTES + data.length);
  return frame;
}
