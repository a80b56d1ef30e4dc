import { AsyncQueue } from '@lockstep/rpc';
import { failingFileSystem, removeTemporaryFolders } from '@lockstep/storage/testing';
import { sha256Of } from '@lockstep/versions';
import type { WriteBlobRequestSchema } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { entryOf, failure, readBlob, refOf, serve, streamOf, writeBlob, type Served } from './testing/served';

removeTemporaryFolders();
const bytes = Buffer.alloc(3 << 20, 'some bytes that are not all the same. ');
const half = bytes.length >> 1;
const upload = (uploadId: string, of: Uint8Array = bytes) => ({ uploadId, blob: refOf(of) });
let served: Served;
beforeEach(async () => { served = await serve(); });
afterEach(() => served.stop());

test.each([[0n, 0n], [5n, 0n], [0n, 7n], [1_500_000n, 900_000n], [BigInt(bytes.length), 0n], [0n, 1n << 40n]])('reading from %i at most %i bytes', async (offset, limit) => {
  await writeBlob(served, bytes);
  const end = limit === 0n ? bytes.length : Number(offset + limit);
  expect((await readBlob(served, refOf(bytes).sha256, offset, limit)).equals(bytes.subarray(Number(offset), end))).toBe(true);
});

test('the first message says how large the blob is, also for an empty range', async () => {
  await writeBlob(served, bytes);
  const replies = [];
  for await (const reply of served.client.readBlob({ sha256: refOf(bytes).sha256, offset: BigInt(bytes.length) })) replies.push(reply);
  expect(replies).toMatchObject([{ sizeBytes: BigInt(bytes.length) }]);
  expect(replies[0]?.data).toHaveLength(0);
});

test('what is missing is named, each once', async () => {
  await writeBlob(served, bytes);
  const other = refOf(Buffer.from('other'));
  const { missing } = await served.client.findMissingBlobs({ blobs: [other, refOf(bytes), other, { sha256: refOf(bytes).sha256, sizeBytes: 1n }] });
  expect(missing.map((b) => [b.sha256, b.sizeBytes])).toEqual([[other.sha256, 5n], [refOf(bytes).sha256, 1n]]);
});

test('an upload that breaks is resumed where it stood', async () => {
  const first = await served.client.writeBlob(streamOf({ upload: upload('u'), data: bytes.subarray(0, half) }));
  expect(first).toMatchObject({ committedBytes: BigInt(half), complete: false });
  expect(await served.client.queryWriteStatus({ upload: upload('u') })).toMatchObject({ committedBytes: BigInt(half), complete: false });
  const rest = await served.client.writeBlob(streamOf({ upload: upload('u'), offset: BigInt(half), data: bytes.subarray(half, half + 10) }, { offset: BigInt(half + 10), data: bytes.subarray(half + 10) }));
  expect(rest).toMatchObject({ committedBytes: BigInt(bytes.length), complete: true });
  expect((await readBlob(served, refOf(bytes).sha256)).equals(bytes)).toBe(true);
});

test('an upload whose client is cut off keeps what arrived, also through a restart of the service', async () => {
  const abort = new AbortController();
  const queue = new AsyncQueue<MessageInitShape<typeof WriteBlobRequestSchema>>(4, 'test');
  queue.push({ upload: upload('u'), data: bytes.subarray(0, half) });
  const cut = failure(served.client.writeBlob(queue, { signal: abort.signal }));
  let committed = 0n;
  while (committed < BigInt(half)) committed = (await served.client.queryWriteStatus({ upload: upload('u') })).committedBytes;
  abort.abort();
  expect((await cut).code).toBe('CANCELLED');
  const { folder } = served;
  await served.stop();
  served = await serve({ folder });
  expect(await served.client.queryWriteStatus({ upload: upload('u') })).toMatchObject({ committedBytes: BigInt(half) });
  expect(await served.client.writeBlob(streamOf({ upload: upload('u'), offset: BigInt(half), data: bytes.subarray(half) }))).toMatchObject({ complete: true });
});

test('a client that falls silent is told so, by address, and its bytes stay', async () => {
  await served.stop();
  served = await serve({ limits: { idleTimeoutMs: 50 } });
  const queue = new AsyncQueue<MessageInitShape<typeof WriteBlobRequestSchema>>(4, 'test');
  queue.push({ upload: upload('u'), data: bytes.subarray(0, 10) });
  const error = await failure(served.client.writeBlob(queue));
  expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: { reason: 'STREAM_IDLE' } });
  expect(error.message).toContain('127.0.0.1');
  queue.close();
  expect(await served.client.queryWriteStatus({ upload: upload('u') })).toMatchObject({ committedBytes: 10n });
});

test('a blob that is there is complete at once, whatever the client would still send', async () => {
  await writeBlob(served, bytes);
  const reply = await served.client.writeBlob(streamOf({ upload: upload('again'), data: bytes.subarray(0, half) }, { offset: BigInt(half), data: bytes.subarray(half) }));
  expect(reply).toMatchObject({ complete: true, committedBytes: BigInt(bytes.length) });
});

type Message = MessageInitShape<typeof WriteBlobRequestSchema>;
test.each<readonly [string, readonly Message[], string, string]>([
  ['other bytes', [{ upload: upload('u'), data: bytes.subarray(0, half) }, { offset: BigInt(half), data: Buffer.alloc(bytes.length - half) }], 'INVALID_ARGUMENT', 'DIGEST_MISMATCH'],
  ['more bytes than announced', [{ upload: upload('u', Buffer.from('short')), data: Buffer.from('longer') }], 'INVALID_ARGUMENT', 'SIZE_MISMATCH'],
  ['an offset that is not the next', [{ upload: upload('u'), data: bytes.subarray(0, 10) }, { offset: 11n, data: bytes.subarray(11, 20) }], 'OUT_OF_RANGE', 'OFFSET_MISMATCH'],
  ['a resumption of nothing', [{ upload: upload('u'), offset: 10n, data: bytes.subarray(10, 20) }], 'OUT_OF_RANGE', 'OFFSET_MISMATCH'],
  ['no upload', [{ data: bytes.subarray(0, 10) }], 'INVALID_ARGUMENT', 'BAD_REQUEST'],
  ['no message', [], 'INVALID_ARGUMENT', 'BAD_REQUEST'],
  ['an id that is a path', [{ upload: { ...upload('u'), uploadId: '../u' } }], 'INVALID_ARGUMENT', 'BAD_REQUEST'],
  ['a digest that is a path', [{ upload: { uploadId: 'u', blob: { sha256: '../../x', sizeBytes: 1n } } }], 'INVALID_ARGUMENT', 'BAD_REQUEST'],
  ['a second header', [{ upload: upload('u') }, { upload: upload('u') }], 'INVALID_ARGUMENT', 'BAD_REQUEST'],
  ['a blob beyond the limit', [{ upload: { uploadId: 'u', blob: { sha256: sha256Of('x'), sizeBytes: 1n << 31n } } }], 'INVALID_ARGUMENT', 'BLOB_TOO_LARGE'],
  ['too much data in a message', [{ upload: upload('u', Buffer.alloc(5 << 20)), data: Buffer.alloc(5 << 20) }], 'INVALID_ARGUMENT', 'BAD_REQUEST'],
])('writing %s is refused and nothing is visible', async (_, messages, code, reason) => {
  expect(await failure(served.client.writeBlob(streamOf(...messages)))).toMatchObject({ code, details: { reason } });
  expect((await failure(readBlob(served, refOf(bytes).sha256))).code).toBe('NOT_FOUND');
  await writeBlob(served, bytes, 'afterwards');
});

test.each<readonly [string, Parameters<Served['client']['readBlob']>[0], string]>([
  ['an unknown blob', { sha256: sha256Of('unknown') }, 'NOT_FOUND'], ['a path', { sha256: '../../database.sqlite' }, 'INVALID_ARGUMENT'],
  ['beyond the end', { sha256: refOf(bytes).sha256, offset: BigInt(bytes.length) + 1n }, 'OUT_OF_RANGE'], ['beyond 2^53', { sha256: refOf(bytes).sha256, offset: 1n << 60n }, 'INVALID_ARGUMENT'],
])('reading %s is %s', async (_, request, code) => {
  await writeBlob(served, bytes);
  const read = async (): Promise<void> => { for await (const _reply of served.client.readBlob(request)) throw new Error('it has data'); };
  expect((await failure(read())).code).toBe(code);
});

test('uploads at once are bounded: one more is told when to come again', async () => {
  await served.stop();
  served = await serve({ limits: { maxWrites: 2 } });
  const queues = ['a', 'b'].map((id) => {
    const queue = new AsyncQueue<Message>(4, id);
    queue.push({ upload: upload(id), data: bytes.subarray(0, 10) });
    return queue;
  });
  const running = queues.map((queue) => served.client.writeBlob(queue));
  for (const id of ['a', 'b']) {
    let committed = 0n;
    while (committed === 0n) committed = (await served.client.queryWriteStatus({ upload: upload(id) })).committedBytes;
  }
  expect(await failure(served.client.writeBlob(streamOf({ upload: upload('c') })))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { reason: 'TOO_MANY_CALLS', retryAfterMs: 200 } });
  for (const queue of queues) queue.close();
  expect((await Promise.all(running)).map((r) => r.complete)).toEqual([false, false]);
  await writeBlob(served, bytes, 'c');
});

test('a full disk refuses the upload, says so, keeps what was there, and works again when there is space', async () => {
  await served.stop();
  const files = failingFileSystem();
  served = await serve({ files });
  const before = Buffer.from('was there');
  await writeBlob(served, before, 'before');
  files.fail('write', 'ENOSPC', 2);
  const error = await failure(served.client.writeBlob(streamOf({ upload: upload('u'), data: bytes.subarray(0, half) }, { offset: BigInt(half), data: bytes.subarray(half) })));
  expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { reason: 'DISK_FULL' } });
  expect(error.message).toContain(served.folder);
  expect((await failure(served.client.commitVersion({ artifact: 'artifacts/a', type: 'T', entries: [entryOf('f', bytes)] }))).details.reason).toBe('BLOBS_MISSING');
  expect((await failure(served.client.getArtifact({ name: 'artifacts/a' }))).code).toBe('NOT_FOUND');
  expect((await readBlob(served, refOf(before).sha256)).equals(before)).toBe(true);
  files.heal();
  await writeBlob(served, bytes);
  expect((await served.client.commitVersion({ artifact: 'artifacts/a', type: 'T', entries: [entryOf('f', bytes)] })).version?.name).toBe('artifacts/a/versions/1');
});
