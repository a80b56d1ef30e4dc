import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ExamplesError, fileError, messageOf, systemCode } from '../examples-error';

const CHUNK_BYTES = 1 << 20;

/** Whether a file starts with gzip's magic bytes: names are no guarantee. @throws ExamplesError UNREADABLE_FILE */
export async function isGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fileError(file, 'read', cause);
  }
}

/**
 * The bytes of a file in order, decompressed when it is gzip.
 *
 * @throws ExamplesError UNREADABLE_FILE, BAD_GZIP, TRUNCATED
 */
export async function* readBytes(file: string, gzip: boolean): AsyncGenerator<Buffer, void, undefined> {
  const raw = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const stream: Readable = gzip ? raw.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : raw;
  // pipe() does not hand errors on.
  raw.on('error', (error) => stream.destroy(error));
  let offset = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      yield chunk;
      offset += chunk.length;
    }
  } catch (cause) {
    throw streamError(file, offset, cause);
  } finally {
    raw.destroy();
    stream.destroy();
  }
}

/** zlib's codes as reasons; whatever was thrown at the generator from outside stays itself. */
function streamError(file: string, offset: number, cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === 'Z_BUF_ERROR') {
    return new ExamplesError('TRUNCATED', `${file} is truncated: its gzip stream ends early, after ${offset} decompressed bytes: copy or write the file again`, { file, offset, check: 'length' }, { cause });
  }
  if (code === 'Z_DATA_ERROR' || code === 'Z_STREAM_ERROR') {
    return new ExamplesError('BAD_GZIP', `${file} starts as gzip does, but cannot be decompressed after ${offset} bytes (${messageOf(cause)}): copy or write the file again`, { file, offset }, { cause });
  }
  return code !== undefined ? fileError(file, 'read', cause) : cause;
}
