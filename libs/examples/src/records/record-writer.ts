import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { fileError, systemCode } from '../examples-error';
import { encodeFrame } from './record-frame';

export interface WriteOptions {
  readonly gzip: boolean;
}

/** Frames are handed on in pieces of this size. */
const CHUNK_BYTES = 1 << 16;
/** Offset of the operating system in a gzip header, and RFC 1952's value for "unknown". */
const GZIP_OS_OFFSET = 9;
const GZIP_OS_UNKNOWN = 255;

/**
 * Writes a TFRecord file. The same records give the same bytes: gzip's header holds neither name, time nor operating
 * system. (zlib itself may compress differently from one version or processor to another.)
 */
export class RecordWriter {
  private readonly target: WriteStream;
  private readonly sink: Writable;
  private readonly done: Promise<void>;
  private frames: Buffer[] = [];
  private waitingBytes = 0;

  /** @param file must not exist yet; that it does is seen by the first write or by close() */
  constructor(
    private readonly file: string,
    { gzip }: WriteOptions,
  ) {
    this.target = createWriteStream(file, { flags: 'wx' });
    const compressor = gzip ? createGzip() : undefined;
    this.sink = compressor ?? this.target;
    this.done = compressor ? pipeline(compressor, withoutOperatingSystem, this.target) : finished(this.target);
    // Awaited where its error is wanted; until then it must not count as unhandled.
    this.done.catch(() => undefined);
  }

  /** @throws ExamplesError UNREADABLE_FILE */
  async write(record: Uint8Array): Promise<void> {
    const frame = encodeFrame(record);
    this.frames.push(frame);
    this.waitingBytes += frame.length;
    if (this.waitingBytes >= CHUNK_BYTES) await this.flush();
  }

  /** Resolves when all is written. @throws ExamplesError UNREADABLE_FILE */
  async close(): Promise<void> {
    await this.flush();
    this.sink.end();
    try {
      await this.done;
    } catch (cause) {
      throw fileError(this.file, 'write', cause);
    }
  }

  /** Gives up: the file is removed. */
  async abandon(): Promise<void> {
    this.sink.destroy();
    this.target.destroy();
    const failed = await this.done.then(() => undefined, (cause: unknown) => cause);
    if (systemCode(failed) !== 'EEXIST') await rm(this.file, { force: true });
  }

  private async flush(): Promise<void> {
    const chunk = Buffer.concat(this.frames);
    this.frames = [];
    this.waitingBytes = 0;
    if (chunk.length === 0) return;
    const failed = await new Promise<Error | null | undefined>((resolve) => this.sink.write(chunk, resolve));
    if (!failed) return;
    // The stream says that it was destroyed; `done` says why.
    const cause: unknown = await this.done.then(() => failed, (reason: unknown) => reason);
    throw fileError(this.file, 'write', cause);
  }
}

/**
 * Writes all records into a new file.
 *
 * @returns number of records
 * @throws ExamplesError UNREADABLE_FILE, also when the file exists; no part of a file stays behind
 */
export async function writeRecordFile(file: string, records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options: WriteOptions): Promise<number> {
  const writer = new RecordWriter(file, options);
  let count = 0;
  try {
    for await (const record of records) {
      await writer.write(record);
      count++;
    }
    await writer.close();
  } catch (cause) {
    await writer.abandon();
    throw cause;
  }
  return count;
}

async function* withoutOperatingSystem(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let offset = 0;
  for await (const chunk of chunks) {
    const at = GZIP_OS_OFFSET - offset;
    if (at >= 0 && at < chunk.length) chunk[at] = GZIP_OS_UNKNOWN;
    offset += chunk.length;
    yield chunk;
  }
}
