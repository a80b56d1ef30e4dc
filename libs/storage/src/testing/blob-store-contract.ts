import { MAX_BLOB_BYTES, sha256Of, type BlobRef } from '@lockstep/versions';
import { createHash } from 'node:crypto';
import type { BlobStore, BlobWriter } from '../blob-store';
import { rejection } from './rejection';

/** A store with small limits, and the means to open it again and to let time pass. */
export interface BlobStoreFixture {
  /** maxBlobBytes 16 MiB, maxUploads 3, uploadLeaseMs 1000. Opening again is what a restarted process does. */
  open(): Promise<BlobStore>;
  /** Moves the store's clock. */
  advance(byMs: number): void;
  /** Changes one byte of a stored blob behind the store's back. */
  damage(sha256: string): Promise<void>;
}

export const contractLimits = { maxBlobBytes: 16 << 20, maxUploads: 3, uploadLeaseMs: 1000 };

const refOf = (bytes: Uint8Array): BlobRef => ({ sha256: sha256Of(bytes), sizeBytes: bytes.length });
const noise = (seed: string, sizeBytes: number): Buffer => createHash('shake128', { outputLength: sizeBytes }).update(seed).digest();
const reasonOf = async (promise: Promise<unknown>): Promise<unknown> => {
  const error = await rejection(promise);
  return 'reason' in error ? error.reason : error;
};

/** All bytes of a range. */
export async function readAll(store: BlobStore, sha256: string, range?: { offset: number; limit?: number }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await store.read(sha256, range)).pieces) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Opens an upload that must not exist yet. */
export async function openWriter(store: BlobStore, id: string, blob: BlobRef, offset = 0): Promise<BlobWriter> {
  const opened = await store.openUpload({ id, blob }, offset);
  if (opened.kind === 'EXISTS') throw new Error(`blob ${blob.sha256} is there already`);
  return opened.writer;
}

/** Uploads some bytes in one go. */
export async function store(target: BlobStore, id: string, bytes: Uint8Array): Promise<BlobRef> {
  const blob = refOf(bytes);
  const writer = await openWriter(target, id, blob);
  await writer.write(bytes);
  await writer.finish();
  return blob;
}

/** All digests that a store lists. */
async function listed(from: BlobStore): Promise<string[]> {
  const found: string[] = [];
  for await (const portion of from.digests()) found.push(...portion);
  return found;
}

/** What every blob store must do; runs as tests of the file that calls it. */
export function blobStoreContract(kind: string, make: () => BlobStoreFixture): void {
  describe(`${kind} as a blob store`, () => {
    let fixture: BlobStoreFixture;
    let blobs: BlobStore;
    beforeEach(async () => {
      fixture = make();
      blobs = await fixture.open();
    });
    const bytes = noise('contract', 100_000);
    const ref = refOf(bytes);

    test.each([1, 4096, MAX_BLOB_BYTES, MAX_BLOB_BYTES + 1, 9 << 20])('a blob of %i bytes comes back, also after opening again', async (sizeBytes) => {
      const whole = noise('sizes', sizeBytes);
      const blob = await store(blobs, 'u', whole);
      expect((await readAll(blobs, blob.sha256)).equals(whole)).toBe(true);
      blobs = await fixture.open();
      expect((await blobs.read(blob.sha256)).sizeBytes).toBe(sizeBytes);
      expect((await readAll(blobs, blob.sha256)).equals(whole)).toBe(true);
    });

    test.each([
      [0, undefined], [0, 10], [99_999, undefined], [5, 0], [100_000, undefined], [50_000, 1_000_000],
    ])('a range from %i of length %p', async (offset, limit) => {
      await store(blobs, 'u', bytes);
      const read = await readAll(blobs, ref.sha256, { offset, ...(limit !== undefined && { limit }) });
      expect(read.equals(bytes.subarray(offset, limit === undefined ? undefined : offset + limit))).toBe(true);
    });

    test('a range of a large blob', async () => {
      const large = noise('large', 9 << 20);
      const { sha256 } = await store(blobs, 'u', large);
      expect((await readAll(blobs, sha256, { offset: 5 << 20, limit: 777_777 })).equals(large.subarray(5 << 20, (5 << 20) + 777_777))).toBe(true);
    });

    test('a range that begins beyond the end, and an unknown blob', async () => {
      await store(blobs, 'u', bytes);
      expect(await reasonOf(blobs.read(ref.sha256, { offset: 100_001 }))).toBe('RANGE_BEYOND_END');
      expect(await reasonOf(blobs.read(sha256Of('nobody')))).toBe('BLOB_NOT_FOUND');
    });

    test('sizes of those that are there', async () => {
      await store(blobs, 'u', bytes);
      expect(await blobs.sizes([ref.sha256, sha256Of('nobody'), ref.sha256])).toEqual(new Map([[ref.sha256, 100_000]]));
    });

    test('all blobs are listed, each once; uploads are not', async () => {
      const stored = [];
      for (let i = 0; i < 20; i++) stored.push((await store(blobs, 'u', noise(`listed ${i}`, 10))).sha256);
      await openWriter(blobs, 'v', ref);
      expect((await listed(blobs)).sort()).toEqual(stored.sort());
    });

    test('a removed blob is gone, also after opening again, and can be uploaded again; others stay', async () => {
      const other = await store(blobs, 'u', noise('other', 10));
      await store(blobs, 'u', bytes);
      await blobs.remove(ref.sha256);
      await blobs.remove(ref.sha256);
      expect(await blobs.sizes([ref.sha256, other.sha256])).toEqual(new Map([[other.sha256, 10]]));
      expect(await reasonOf(blobs.read(ref.sha256))).toBe('BLOB_NOT_FOUND');
      blobs = await fixture.open();
      expect(await listed(blobs)).toEqual([other.sha256]);
      await store(blobs, 'u', bytes);
      expect((await readAll(blobs, ref.sha256)).equals(bytes)).toBe(true);
    });

    test('a blob that is removed while it is read is never read as other bytes', async () => {
      const large = noise('read and removed', 9 << 20);
      const { sha256 } = await store(blobs, 'u', large);
      const { pieces } = await blobs.read(sha256);
      await blobs.remove(sha256);
      const read: Uint8Array[] = [];
      const ended = await (async () => { for await (const piece of pieces) read.push(piece); })().then(() => 'WHOLE', (e: unknown) => reasonOf(Promise.reject(e)));
      const got = Buffer.concat(read);
      expect(got.equals(large.subarray(0, got.length))).toBe(true);
      expect(ended === 'WHOLE' ? got.length : ended).toBe(ended === 'WHOLE' ? large.length : 'BLOB_NOT_FOUND');
    });

    test('nothing is visible before the upload has finished', async () => {
      const writer = await openWriter(blobs, 'u', ref);
      await writer.write(bytes);
      expect(await blobs.sizes([ref.sha256])).toEqual(new Map());
      expect(await reasonOf(blobs.read(ref.sha256))).toBe('BLOB_NOT_FOUND');
      expect(await blobs.uploadStatus({ id: 'u', blob: ref })).toEqual({ committedBytes: 100_000, complete: false });
      await writer.finish();
      expect(await blobs.uploadStatus({ id: 'u', blob: ref })).toEqual({ committedBytes: 100_000, complete: true });
      expect(await blobs.openUpload({ id: 'v', blob: ref }, 0)).toEqual({ kind: 'EXISTS' });
    });

    test.each<readonly [string, Uint8Array, string]>([
      ['other bytes', noise('other', 100_000), 'DIGEST_MISMATCH'], ['too few bytes', bytes.subarray(1), 'SIZE_MISMATCH'], ['too many bytes', Buffer.concat([bytes, bytes]), 'SIZE_MISMATCH'],
    ])('%s are refused and forgotten', async (_, wrong, reason) => {
      const writer = await openWriter(blobs, 'u', ref);
      expect(await reasonOf(writer.write(wrong).then(() => writer.finish()))).toBe(reason);
      expect(await blobs.sizes([ref.sha256])).toEqual(new Map());
      expect(await blobs.uploadStatus({ id: 'u', blob: ref })).toEqual({ committedBytes: 0, complete: false });
      await store(blobs, 'u', bytes);
      expect((await readAll(blobs, ref.sha256)).equals(bytes)).toBe(true);
    });

    test.each(['the same process', 'a restarted one'])('a suspended upload is resumed by %s', async (who) => {
      const first = await openWriter(blobs, 'u', ref);
      await first.write(bytes.subarray(0, 60_000));
      await first.suspend();
      if (who === 'a restarted one') blobs = await fixture.open();
      expect(await blobs.uploadStatus({ id: 'u', blob: ref })).toEqual({ committedBytes: 60_000, complete: false });
      expect(await reasonOf(blobs.openUpload({ id: 'u', blob: ref }, 0))).toBe('OFFSET_MISMATCH');
      const second = await openWriter(blobs, 'u', ref, 60_000);
      await second.write(bytes.subarray(60_000));
      await second.finish();
      expect((await readAll(blobs, ref.sha256)).equals(bytes)).toBe(true);
    });

    test('an upload has one writer at a time', async () => {
      const writer = await openWriter(blobs, 'u', ref);
      expect(await reasonOf(blobs.openUpload({ id: 'u', blob: ref }, 0))).toBe('UPLOAD_BUSY');
      await writer.suspend();
      await (await openWriter(blobs, 'u', ref)).suspend();
    });

    test('two uploads of the same blob both succeed', async () => {
      const [a, b] = [await openWriter(blobs, 'a', ref), await openWriter(blobs, 'b', ref)];
      await a.write(bytes);
      await b.write(bytes);
      await a.finish();
      await b.finish();
      expect((await readAll(blobs, ref.sha256)).equals(bytes)).toBe(true);
    });

    test('a blob beyond the limit is refused before its first byte', async () => {
      expect(await reasonOf(blobs.openUpload({ id: 'u', blob: { sha256: ref.sha256, sizeBytes: contractLimits.maxBlobBytes + 1 } }, 0))).toBe('BLOB_TOO_LARGE');
    });

    test('uploads are bounded, and their places come back when their lease ends', async () => {
      const suspend = async (id: string): Promise<void> => {
        const writer = await openWriter(blobs, id, ref);
        await writer.write(bytes.subarray(0, 10));
        await writer.suspend();
      };
      for (const id of ['a', 'b', 'c']) await suspend(id);
      expect(await reasonOf(suspend('d'))).toBe('TOO_MANY_UPLOADS');
      fixture.advance(contractLimits.uploadLeaseMs + 1);
      await suspend('d');
      expect(await blobs.uploadStatus({ id: 'a', blob: ref })).toEqual({ committedBytes: 0, complete: false });
      expect(await blobs.uploadStatus({ id: 'd', blob: ref })).toEqual({ committedBytes: 10, complete: false });
    });

    test('an open upload is not forgotten, however long it takes', async () => {
      const writer = await openWriter(blobs, 'u', ref);
      fixture.advance(contractLimits.uploadLeaseMs * 100);
      expect(await blobs.forgetStaleUploads()).toBe(0);
      await writer.write(bytes);
      await writer.finish();
      expect(await blobs.sizes([ref.sha256])).toEqual(new Map([[ref.sha256, 100_000]]));
    });

    test.each([100_000, 9 << 20])('a changed byte in a blob of %i bytes is DATA_LOSS by name, never data', async (sizeBytes) => {
      const { sha256 } = await store(blobs, 'u', noise('damaged', sizeBytes));
      await fixture.damage(sha256);
      const error = await rejection(blobs.read(sha256, { offset: 0, limit: 1 }));
      expect(error).toMatchObject({ reason: 'DATA_LOSS', facts: { sha256 } });
      expect(error.message).toContain(sha256);
    });
  });
}
