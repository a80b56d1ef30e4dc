/**
 * Where the records of a file lie, so that any of them is read without those before it. A gzip file is decompressed
 * once into the cache folder and addressed there.
 *
 * 1. What lies in the cache is whole: it is written beside its name and renamed.
 * 2. Its name is the SHA-256 of the file's path, size and time of change: a changed file has another one.
 * 3. An index that does not pass its own checksum is made anew.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileError, systemCode } from '../examples-error';
import { isGzip, readBytes } from './byte-source';
import { maskedCrc32c } from './crc32c';
import { FOOTER_BYTES, HEADER_BYTES } from './record-frame';
import { decodeRecords } from './record-stream';

/** A TFRecord file whose records can be addressed. */
export interface RecordIndex {
  /** The file as it was named. */
  readonly file: string;
  /** Where the uncompressed frames are: the file itself or its copy in the cache. */
  readonly framesPath: string;
  /** Where each frame starts; ends with the size of the file: recordCount + 1 values, in bytes. */
  readonly offsets: Float64Array;
}

const MAGIC = Buffer.from('LSRIDX1\n', 'latin1');

/**
 * Finds every record of a file. Checks the lengths' CRCs; those of the data are checked when a record is read.
 *
 * @param cacheFolder is made when it does not exist; whoever names it removes it
 * @throws ExamplesError UNREADABLE_FILE, TRUNCATED, CORRUPT, BAD_GZIP, RECORD_TOO_LARGE
 */
export async function indexRecords(file: string, cacheFolder: string): Promise<RecordIndex> {
  const gzip = await isGzip(file);
  const name = await cacheName(file);
  const indexPath = join(cacheFolder, `${name}.index`);
  const framesPath = gzip ? join(cacheFolder, `${name}.records`) : file;
  const cached = await readIndex(indexPath, framesPath);
  if (cached) return { file, framesPath, offsets: cached };
  try {
    await mkdir(cacheFolder, { recursive: true });
  } catch (cause) {
    throw fileError(cacheFolder, 'write', cause);
  }
  const bytes = readBytes(file, gzip);
  const offsets = gzip
    ? await writeWhole(framesPath, (path) => decompress(file, bytes, path))
    : await scan(file, bytes);
  await writeWhole(indexPath, (path) => writeFile(path, encodeIndex(offsets), { flag: 'wx' }));
  return { file, framesPath, offsets };
}

async function cacheName(file: string): Promise<string> {
  try {
    const { size, mtimeNs } = await stat(file, { bigint: true });
    return createHash('sha256').update(`${resolve(file)}\0${size}\0${mtimeNs}`).digest('hex');
  } catch (cause) {
    throw fileError(file, 'read', cause);
  }
}

async function scan(file: string, bytes: AsyncIterable<Buffer>): Promise<Float64Array> {
  const offsets = [0];
  for await (const { offset, data } of decodeRecords(file, bytes, false)) offsets.push(offset + HEADER_BYTES + data.length + FOOTER_BYTES);
  return Float64Array.from(offsets);
}

async function decompress(file: string, bytes: AsyncIterable<Buffer>, path: string): Promise<Float64Array> {
  const target = createWriteStream(path, { flags: 'wx' });
  const done = finished(target);
  // The error is seen where `done` is awaited; until then it must not count as unhandled.
  done.catch(() => undefined);
  async function* copied(): AsyncGenerator<Buffer> {
    for await (const chunk of bytes) {
      if (!target.write(chunk)) await Promise.race([once(target, 'drain'), done]);
      yield chunk;
    }
  }
  try {
    const offsets = await scan(file, copied());
    target.end();
    await done;
    return offsets;
  } catch (cause) {
    target.destroy();
    throw cause;
  }
}

/** Writes beside a path and renames, so that nobody sees a part of it. */
async function writeWhole<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const result = await write(temporary);
    await rename(temporary, path);
    return result;
  } catch (cause) {
    await rm(temporary, { force: true });
    throw systemCode(cause) === undefined ? cause : fileError(path, 'write', cause);
  }
}

function encodeIndex(offsets: Float64Array): Buffer {
  const body = Buffer.alloc(MAGIC.length + offsets.length * 8 + 4);
  body.set(MAGIC);
  offsets.forEach((offset, i) => body.writeDoubleLE(offset, MAGIC.length + i * 8));
  body.writeUInt32LE(maskedCrc32c(body, 0, body.length - 4), body.length - 4);
  return body;
}

/** The offsets of a cached index, when it is whole and its frames are still there. */
async function readIndex(indexPath: string, framesPath: string): Promise<Float64Array | undefined> {
  const bytes = await readFile(indexPath).catch(() => undefined);
  const frames = await stat(framesPath).catch(() => undefined);
  if (!bytes || !frames) return undefined;
  const count = (bytes.length - MAGIC.length - 4) / 8;
  if (!Number.isInteger(count) || count < 1 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.readUInt32LE(bytes.length - 4) !== maskedCrc32c(bytes, 0, bytes.length - 4)) return undefined;
  const offsets = Float64Array.from({ length: count }, (_, i) => bytes.readDoubleLE(MAGIC.length + i * 8));
  return offsets[count - 1] === frames.size ? offsets : undefined;
}
