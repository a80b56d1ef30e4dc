import { isGzip, readBytes } from './byte-source';
import { checkData, dataLength, FOOTER_BYTES, HEADER_BYTES, truncated } from './record-frame';

/** A record, as it comes by. */
export interface StreamedRecord {
  /** Number of the record in the file, from 0. */
  readonly record: number;
  /** Where its frame starts, in the decompressed bytes. */
  readonly offset: number;
  /** The data; valid until the next record is asked for. */
  readonly data: Buffer;
}

/** Collects chunks until a frame, or a part of one, lies in one piece. */
class ChunkQueue {
  private readonly chunks: Buffer[] = [];
  private front: Buffer = Buffer.alloc(0);
  private waitingBytes = 0;

  get sizeBytes(): number {
    return this.front.length + this.waitingBytes;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.waitingBytes += chunk.length;
  }

  /** The first bytes, at least `size`; there must be so many. */
  peek(size: number): Buffer {
    if (this.front.length < size) {
      this.front = Buffer.concat([this.front, ...this.chunks.splice(0)]);
      this.waitingBytes = 0;
    }
    return this.front;
  }

  drop(size: number): void {
    this.front = this.front.subarray(size);
  }
}

/**
 * All records of a stream of bytes in order.
 *
 * @param file for errors
 * @param verifyData checks the data's CRCs too; lengths are always checked
 * @throws ExamplesError TRUNCATED, CORRUPT, RECORD_TOO_LARGE with file, record, offset and check
 */
export async function* decodeRecords(file: string, bytes: AsyncIterable<Buffer>, verifyData: boolean): AsyncGenerator<StreamedRecord, void, undefined> {
  const queue = new ChunkQueue();
  let record = 0;
  let offset = 0;
  let length: number | undefined;
  for await (const chunk of bytes) {
    queue.push(chunk);
    for (;;) {
      const place = { file, record, offset };
      if (length === undefined) {
        if (queue.sizeBytes < HEADER_BYTES) break;
        length = dataLength(queue.peek(HEADER_BYTES), 0, place);
      }
      const frameBytes = HEADER_BYTES + length + FOOTER_BYTES;
      if (queue.sizeBytes < frameBytes) break;
      const frame = queue.peek(frameBytes);
      if (verifyData) checkData(frame, HEADER_BYTES, HEADER_BYTES + length, place);
      yield { record, offset, data: frame.subarray(HEADER_BYTES, HEADER_BYTES + length) };
      queue.drop(frameBytes);
      record++;
      offset += frameBytes;
      length = undefined;
    }
  }
  if (queue.sizeBytes > 0) throw truncated({ file, record, offset }, length === undefined ? 'header' : 'data');
}

/**
 * All records of a TFRecord file, plain or gzip, every CRC checked.
 *
 * @throws ExamplesError UNREADABLE_FILE, TRUNCATED, CORRUPT, BAD_GZIP, RECORD_TOO_LARGE
 */
export async function* readRecords(file: string): AsyncGenerator<StreamedRecord, void, undefined> {
  yield* decodeRecords(file, readBytes(file, await isGzip(file)), true);
}

/** Number of records of a TFRecord file after checking all of it. @throws like readRecords */
export async function countRecords(file: string): Promise<number> {
  let count = 0;
  for await (const { record } of readRecords(file)) count = record + 1;
  return count;
}
