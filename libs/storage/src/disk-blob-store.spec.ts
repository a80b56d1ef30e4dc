import fs from 'node:fs';
import path from 'node:path';
import { sha256Of } from '@lockstep/versions';
import { DiskBlobStore } from './index';
import { blobStoreContract, contractLimits, failingFileSystem, openWriter, readAll, rejection, removeTemporaryFolders, store, temporaryFolder, type FailingFileSystem, type FileOperation } from './testing';

removeTemporaryFolders();

blobStoreContract('disk', () => {
  const root = temporaryFolder();
  let now = 0;
  return {
    open: () => DiskBlobStore.open({ root, ...contractLimits, now: () => now }),
    advance: (byMs) => { now += byMs; },
    damage: (sha256) => {
      const file = path.join(root, 'blobs', sha256.slice(0, 2), sha256);
      const bytes = fs.readFileSync(file);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      fs.writeFileSync(file, bytes);
      return Promise.resolve();
    },
  };
});

const bytes = Buffer.alloc(300_000, 'lockstep');
const ref = { sha256: sha256Of(bytes), sizeBytes: bytes.length };
const filesBelow = (folder: string): readonly string[] => fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => e.name);

async function setUp(): Promise<{ readonly root: string; readonly files: FailingFileSystem; readonly blobs: DiskBlobStore }> {
  const root = temporaryFolder();
  const files = failingFileSystem();
  return { root, files, blobs: await DiskBlobStore.open({ root, ...contractLimits, now: () => 0, files }) };
}

test.each<readonly [FileOperation, string, string]>([
  ['open', 'ENOSPC', 'DISK_FULL'], ['write', 'ENOSPC', 'DISK_FULL'], ['write', 'EDQUOT', 'DISK_FULL'], ['sync', 'ENOSPC', 'DISK_FULL'], ['rename', 'ENOSPC', 'DISK_FULL'],
  ['syncFolder', 'EIO', 'IO'], ['write', 'EIO', 'IO'], ['sync', 'EIO', 'IO'],
])('%s failing with %s is %s: nothing half-written stays, what was there stays, and it works again afterwards', async (operation, code, reason) => {
  const { root, files, blobs } = await setUp();
  const before = await store(blobs, 'before', Buffer.from('was there'));
  files.fail(operation, code);
  const attempt = async (): Promise<void> => {
    const writer = await openWriter(blobs, 'u', ref);
    await writer.write(bytes.subarray(0, 200_000));
    await writer.write(bytes.subarray(200_000));
    await writer.finish();
  };
  const error = await rejection(attempt());
  expect(error).toMatchObject({ reason });
  expect(error.message).toContain(root);
  expect(filesBelow(root)).toEqual([before.sha256]);
  files.heal();
  expect(await blobs.uploadStatus({ id: 'u', blob: ref })).toEqual({ committedBytes: 0, complete: false });
  await attempt();
  expect((await readAll(blobs, ref.sha256)).equals(bytes)).toBe(true);
  expect((await readAll(blobs, before.sha256)).toString()).toBe('was there');
});

test('a blob is synced before it is renamed, and its folder after', async () => {
  const { files, blobs } = await setUp();
  const from = files.operations.length;
  await store(blobs, 'u', bytes);
  expect(files.operations.slice(from)).toEqual(['open', 'write', 'sync', 'rename', 'syncFolder']);
});

test('opening a store syncs every folder: a process that died may have renamed without', async () => {
  const { files } = await setUp();
  expect(files.operations.filter((o) => o === 'syncFolder').length).toBeGreaterThanOrEqual(256);
});

test('an upload whose bytes changed on disk between two processes is refused', async () => {
  const { root, blobs } = await setUp();
  const writer = await openWriter(blobs, 'u', ref);
  await writer.write(bytes.subarray(0, 1000));
  await writer.suspend();
  const file = path.join(root, 'uploads', `u.${ref.sha256}.${ref.sizeBytes}`);
  fs.writeFileSync(file, Buffer.alloc(1000)); // What a power loss can leave: the size without the bytes.
  const restarted = await DiskBlobStore.open({ root, ...contractLimits, now: () => 0 });
  const again = await openWriter(restarted, 'u', ref, 1000);
  await again.write(bytes.subarray(1000));
  expect(await rejection(again.finish())).toMatchObject({ reason: 'DIGEST_MISMATCH' });
  expect(filesBelow(root)).toEqual([]);
});

test('a truncated blob is not there for a client that announces its size, and an upload repairs it', async () => {
  const { root, blobs } = await setUp();
  await store(blobs, 'u', bytes);
  fs.truncateSync(path.join(root, 'blobs', ref.sha256.slice(0, 2), ref.sha256), 10);
  expect(await blobs.sizes([ref.sha256])).toEqual(new Map([[ref.sha256, 10]]));
  await store(blobs, 'v', bytes);
  expect((await readAll(blobs, ref.sha256)).equals(bytes)).toBe(true);
});

test.each(['../../etc/passwd', '', 'a/b', 'x'.repeat(65)])('upload id %j never becomes a path', async (id) => {
  const { root, blobs } = await setUp();
  expect(await rejection(blobs.openUpload({ id, blob: ref }, 0))).toBeInstanceOf(RangeError);
  expect(filesBelow(root)).toEqual([]);
});
