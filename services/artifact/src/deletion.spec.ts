import { ArtifactClient, fileOfBytes } from '@lockstep/client';
import { ExecutionState, type Version } from '@lockstep/contract';
import { DiskBlobStore, openDatabase } from '@lockstep/storage';
import { removeTemporaryFolders, store, temporaryFolder } from '@lockstep/storage/testing';
import { buildManifest, encodeManifest, manifestDigest } from '@lockstep/versions';
import { sql } from 'kysely';
import { artifactMigrations } from './store/schema';
import { entryOf, failure, readBlob, refOf, serve, writeBlob, type Served } from './testing/served';

removeTemporaryFolders();
const GRACE_MS = 3_600_000;
const A = Buffer.from('content a');
const B = Buffer.from('content b');
let nowMs: number;
let served: Served;
const options = { gc: { graceMs: GRACE_MS, intervalMs: 0 }, now: () => nowMs };
beforeEach(async () => {
  nowMs = 1_700_000_000_000;
  served = await serve(options);
});
afterEach(() => served.stop());

let uploads = 0;
async function commit(artifact: string, bytes: Buffer, more: { readonly requestId?: string; readonly execution?: string } = {}): Promise<Version> {
  await writeBlob(served, bytes, `u${++uploads}`);
  const { version } = await served.client.commitVersion({ artifact: `artifacts/${artifact}`, type: 'Model', entries: [entryOf('file', bytes)], ...more });
  if (!version) throw new Error('no version');
  return version;
}
const remove = (name: string, reason = '') => served.client.deleteVersion({ name: `artifacts/${name}`, reason });
const list = async (artifact: string, showDeleted = false) => (await served.client.listVersions({ parent: `artifacts/${artifact}`, showDeleted })).versions.map((v) => v.name.slice(v.name.lastIndexOf('/') + 1));

test('a deleted version is in no list unless asked for, and what stays of it tells when, why and what it was', async () => {
  const { digest } = await commit('a', A);
  await commit('a', B);
  const deleted = await remove('a/versions/1', 'it was wrong');
  expect(deleted).toMatchObject({ name: 'artifacts/a/versions/1', digest, deleteReason: 'it was wrong', deleteTime: { seconds: BigInt(nowMs / 1000) }, entries: [], fileCount: 1, sizeBytes: 9n });
  expect(await list('a')).toEqual(['2']);
  expect(await list('a', true)).toEqual(['2', '1']);
  const error = await failure(served.client.getVersion({ name: 'artifacts/a/versions/1' }));
  expect(error).toMatchObject({ code: 'NOT_FOUND', details: { reason: 'VERSION_DELETED', resource: { type: 'Version', name: 'artifacts/a/versions/1' } } });
  expect(error.message).toMatch(/deleted at 2023-11-14T22:13:20.000Z \(it was wrong\); the newest version of a is 2/);
  expect(await served.client.getVersion({ name: 'artifacts/a/versions/1', showDeleted: true })).toEqual(deleted);
  expect((await served.client.getVersion({ name: 'artifacts/a/versions/2', showDeleted: true })).entries).toHaveLength(1);
});

test('deleting again is answered with the first deletion, also after a restart', async () => {
  await commit('a', A);
  const first = await remove('a/versions/1', 'first');
  nowMs += 5000;
  expect(await remove('a/versions/1', 'second')).toEqual(first);
  await served.stop();
  served = await serve({ ...options, folder: served.folder });
  expect(await remove('a/versions/1', 'third')).toEqual(first);
});

test.each(['a/versions/2', 'nobody/versions/1'])('%s never was', async (name) => {
  await commit('a', A);
  expect(await failure(remove(name))).toMatchObject({ code: 'NOT_FOUND', details: { reason: 'VERSION_NOT_FOUND' } });
});

test('faults of a request arrive in one answer; the newest has to be named by its number', async () => {
  expect((await failure(served.client.deleteVersion({ name: 'artifacts/a/versions/latest', reason: 'x'.repeat(1025) }))).details.fieldViolations?.map((v) => v.field)).toEqual(['name', 'reason']);
});

test('a number is never used again: the same files are a new version', async () => {
  await commit('a', A);
  await commit('a', B);
  await remove('a/versions/2');
  expect((await served.client.getArtifact({ name: 'artifacts/a' })).latestVersion).toBe(1n);
  expect((await served.client.getVersion({ name: 'artifacts/a/versions/latest' })).name).toBe('artifacts/a/versions/1');
  const again = await commit('a', B);
  expect(again.name).toBe('artifacts/a/versions/3');
  expect(await list('a', true)).toEqual(['3', '2', '1']);
  expect((await served.client.getVersion({ name: 'artifacts/a/versions/latest' })).entries[0]?.blobs[0]?.sha256).toBe(refOf(B).sha256);
  expect((await commit('a', B)).name).toBe('artifacts/a/versions/3');
});

test('an artifact without versions is not listed unless asked for, keeps its type, and goes on counting', async () => {
  await commit('a', A);
  await commit('b', A);
  await remove('a/versions/1');
  const names = async (showDeleted: boolean) => (await served.client.listArtifacts({ showDeleted })).artifacts.map((a) => [a.name, a.latestVersion]);
  expect(await names(false)).toEqual([['artifacts/b', 1n]]);
  expect(await names(true)).toEqual([['artifacts/a', 0n], ['artifacts/b', 1n]]);
  expect((await failure(served.client.getVersion({ name: 'artifacts/a/versions/latest' }))).message).toContain('artifacts/a has no version any more');
  expect((await failure(served.client.commitVersion({ artifact: 'artifacts/a', type: 'Schema', entries: [entryOf('f', A)] }))).details.reason).toBe('TYPE_MISMATCH');
  expect((await commit('a', A)).name).toBe('artifacts/a/versions/2');
});

test('a page token of a list without deleted versions is none of a list with them', async () => {
  for (const bytes of [A, B]) await commit('a', bytes);
  const { nextPageToken } = await served.client.listVersions({ parent: 'artifacts/a', pageSize: 1 });
  expect((await failure(served.client.listVersions({ parent: 'artifacts/a', pageToken: nextPageToken, showDeleted: true }))).details.fieldViolations?.map((v) => v.field)).toEqual(['page_token']);
});

test('what a running execution reads is not deleted, by name; lineage stays readable when it goes later', async () => {
  await commit('data', A);
  const reads = { key: 'examples', version: 'artifacts/data/versions/1' };
  await served.client.createExecution({ execution: { type: 'TrainJob', inputs: [reads] }, executionId: 'e' });
  const error = await failure(remove('data/versions/1'));
  expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'VERSION_IN_USE', metadata: { execution: 'executions/e' }, resource: { name: 'artifacts/data/versions/1' } } });
  expect(error.message).toContain('executions/e reads it');
  await commit('model', B, { execution: 'executions/e' });
  await served.client.completeExecution({ name: 'executions/e', state: ExecutionState.SUCCEEDED });
  await remove('data/versions/1');
  await remove('model/versions/1');
  expect(await served.client.getExecution({ name: 'executions/e' })).toMatchObject({ inputs: [{ ...reads, type: 'Model' }], outputs: [{ version: 'artifacts/model/versions/1' }] });
  expect((await served.client.listExecutions({ output: 'artifacts/model/versions/1' })).executions.map((e) => e.name)).toEqual(['executions/e']);
  expect(await failure(served.client.createExecution({ execution: { type: 'TrainJob', inputs: [reads] } }))).toMatchObject({ code: 'NOT_FOUND', details: { reason: 'VERSION_DELETED' } });
});

test('a retried commit is answered with its version, also when that was deleted since and its bytes are gone', async () => {
  await commit('a', A, { requestId: 'r' });
  await remove('a/versions/1', 'gone');
  await served.client.runGc({});
  nowMs += GRACE_MS;
  expect((await served.client.runGc({})).removed?.blobs).toBe(1n);
  const again = await served.client.commitVersion({ artifact: 'artifacts/a', type: 'Model', entries: [entryOf('file', A)], requestId: 'r' });
  expect(again).toMatchObject({ created: false, version: { name: 'artifacts/a/versions/1', deleteReason: 'gone' } });
});

test('bytes of a deleted version stay for the grace, then go; those that others have stay', async () => {
  await commit('a', A);
  await served.client.commitVersion({ artifact: 'artifacts/b', type: 'Model', entries: [entryOf('one', A), entryOf('two', A)] });
  await commit('a', B);
  for (const name of ['a/versions/1', 'a/versions/2']) await remove(name);
  const none = { blobs: 0n, sizeBytes: 0n };
  const one = { blobs: 1n, sizeBytes: 9n };
  const grace = { seconds: BigInt(GRACE_MS / 1000) };
  expect(await served.client.runGc({})).toMatchObject({ versions: 1n, deletedVersions: 2n, kept: one, condemned: one, removed: none, grace });
  expect((await readBlob(served, refOf(B).sha256)).equals(B)).toBe(true);
  nowMs += GRACE_MS;
  expect(await served.client.runGc({ validateOnly: true })).toMatchObject({ condemned: none, removed: one });
  expect(await served.client.runGc({})).toMatchObject({ kept: one, condemned: none, removed: one });
  expect((await failure(readBlob(served, refOf(B).sha256))).code).toBe('NOT_FOUND');
  expect((await readBlob(served, refOf(A).sha256)).equals(A)).toBe(true);
  expect((await served.client.findMissingBlobs({ blobs: [refOf(A), refOf(B)] })).missing.map((b) => b.sha256)).toEqual([refOf(B).sha256]);
});

test('FindMissingBlobs saves what is condemned, so that it can be committed after the grace', async () => {
  await writeBlob(served, A);
  await served.client.runGc({});
  nowMs += GRACE_MS;
  expect((await served.client.findMissingBlobs({ blobs: [refOf(A)] })).missing).toEqual([]);
  expect((await served.client.runGc({})).removed?.blobs).toBe(0n);
  await served.client.commitVersion({ artifact: 'artifacts/a', type: 'Model', entries: [entryOf('file', A)] });
});

test('the service collects by itself', async () => {
  await served.stop();
  served = await serve({ ...options, gc: { graceMs: 0, intervalMs: 5 }, folder: served.folder });
  await writeBlob(served, A);
  let gone = false;
  while (!gone) gone = (await failure(readBlob(served, refOf(A).sha256)).catch(() => undefined))?.code === 'NOT_FOUND';
});

test('the client keeps the newest versions that it is told to, and never touches newer ones', async () => {
  const client = new ArtifactClient(served.channel);
  for (let i = 0; i < 6; i++) await client.putFiles([fileOfBytes('state', Buffer.from(`state ${i}`))], { artifact: 'artifacts/c', type: 'Checkpoint' });
  const name = (n: number) => `artifacts/c/versions/${n}`;
  await client.beginExecution({ type: 'TrainJob', inputs: [{ key: 'checkpoint', version: name(1) }], executionId: 'reader' });
  expect(await client.retainVersions('artifacts/c', [name(5), name(3)], 'superseded')).toEqual([4, 2].map(name));
  expect(await list('c')).toEqual(['6', '5', '3', '1']);
  await client.completeExecution('executions/reader', ExecutionState.FAILED);
  expect(await client.retainVersions('artifacts/c', [name(5), name(3)], 'superseded')).toEqual([name(1)]);
  expect(await client.retainVersions('artifacts/c', [], 'over')).toEqual([6, 5, 3].map(name));
  expect(await client.retainVersions('artifacts/c', [], 'over')).toEqual([]);
  expect(await client.retainVersions('artifacts/nobody', [], 'over')).toEqual([]);
  expect(await client.runGc({ validateOnly: true })).toMatchObject({ versions: 0n, deletedVersions: 6n, condemned: { blobs: 6n } });
});

test('a folder from before there were deletions knows afterwards which blobs its versions have', async () => {
  const folder = temporaryFolder();
  const before = await openDatabase<Record<string, never>>({ folder, service: 'artifact', programVersion: '0', migrations: artifactMigrations.slice(0, 2) });
  const blobs = await DiskBlobStore.open({ root: folder, maxBlobBytes: 1 << 20, maxUploads: 4, uploadLeaseMs: 1000, now: () => 0 });
  const [a, garbage] = [await store(blobs, 'u', A), await store(blobs, 'v', B)];
  const built = buildManifest([{ path: 'file', mode: 0o644, sizeBytes: A.length, blobs: [a] }]);
  if (built.kind === 'INVALID') throw new Error('the manifest is not valid');
  const digest = manifestDigest(built.manifest);
  await sql`insert into artifact values ('old', 'Model', 1, 5)`.execute(before.query);
  await sql`insert into manifest values (${digest}, ${encodeManifest(built.manifest)})`.execute(before.query);
  await sql`insert into version values ('old', 1, ${digest}, '[]', 1, ${A.length}, 5, null, null, null)`.execute(before.query);
  await before.close();
  await served.stop();
  served = await serve({ ...options, folder });
  expect(await served.client.runGc({})).toMatchObject({ versions: 1n, kept: { blobs: 1n }, condemned: { blobs: 1n } });
  nowMs += GRACE_MS;
  await served.client.runGc({});
  expect((await failure(readBlob(served, garbage.sha256))).code).toBe('NOT_FOUND');
  expect((await readBlob(served, (await served.client.getVersion({ name: 'artifacts/old/versions/latest' })).entries[0]?.blobs[0]?.sha256 ?? '')).equals(A)).toBe(true);
  await remove('old/versions/1');
  expect((await commit('old', A)).name).toBe('artifacts/old/versions/2');
});
