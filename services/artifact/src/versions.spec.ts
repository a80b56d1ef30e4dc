import fs from 'node:fs';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CommitVersionRequestSchema } from '@lockstep/contract';
import { removeTemporaryFolders } from '@lockstep/storage/testing';
import { entryOf, failure, readBlob, refOf, serve, writeBlob, type Served } from './testing/served';

removeTemporaryFolders();
const A = Buffer.from('content a');
const B = Buffer.from('content b');
let served: Served;
beforeAll(async () => {
  served = await serve();
  await writeBlob(served, A);
  await writeBlob(served, B, 'v');
});
afterAll(() => served.stop());
type CommitFields = Omit<Extract<MessageInitShape<typeof CommitVersionRequestSchema>, { $typeName?: undefined }>, '$typeName'>;
const commit = (artifact: string, bytes = A, more: CommitFields = {}) =>
  served.client.commitVersion({ artifact, type: 'Model', entries: [entryOf('file', bytes)], ...more });
const fence = (generation: bigint, job = 'jobs/j') => ({ fence: { job, generation } });

test('a version is read back as it was committed, with the digest of its canonical text', async () => {
  const { version, created } = await commit('artifacts/whole', A, {
    entries: [{ path: 'b/run', mode: 0o755, sizeBytes: BigInt(A.length + B.length), blobs: [refOf(A), refOf(B)] }, { path: 'a', sizeBytes: 0n }], labels: [{ key: 'z', value: '1' }, { key: 'a', value: '2' }],
  });
  expect(created).toBe(true);
  const read = await served.client.getVersion({ name: 'artifacts/whole/versions/latest' });
  expect(read).toMatchObject({ name: 'artifacts/whole/versions/1', type: 'Model', fileCount: 2, sizeBytes: 18n, digest: version?.digest, labels: [{ key: 'a' }, { key: 'z' }] });
  expect(read.entries.map((e) => [e.path, e.mode, e.blobs.map((b) => b.sha256)])).toEqual([['a', 0o644, []], ['b/run', 0o755, [refOf(A).sha256, refOf(B).sha256]]]);
  // Digest computed with sha256sum over the text of the README.
  expect(read.digest).toBe('8b11345104f445219ddec7270813a6788e9f84eadce0f1199d38ae7d3b9ecb34');
});

test('the same files are the same version, also when a newer one exists', async () => {
  expect((await commit('artifacts/same')).version?.name).toBe('artifacts/same/versions/1');
  expect((await commit('artifacts/same', B)).version?.name).toBe('artifacts/same/versions/2');
  const again = await commit('artifacts/same', A, { labels: [{ key: 'late', value: '' }] });
  expect([again.version?.name, again.created, again.version?.labels]).toEqual(['artifacts/same/versions/1', false, []]);
  expect((await served.client.getArtifact({ name: 'artifacts/same' })).latestVersion).toBe(2n);
});

test('versions that are committed at once get dense numbers, one a content', async () => {
  const contents = Array.from({ length: 20 }, (_, i) => Buffer.from(`racing ${i}`));
  await Promise.all(contents.map((bytes, i) => writeBlob(served, bytes, `race-${i}`)));
  const replies = await Promise.all([...contents, ...contents].map((bytes) => commit('artifacts/race', bytes)));
  expect(replies.filter((r) => r.created)).toHaveLength(20);
  expect(new Set(replies.map((r) => r.version?.name))).toEqual(new Set(Array.from({ length: 20 }, (_, i) => `artifacts/race/versions/${i + 1}`)));
});

test('a request id is answered once: a retry gets the version, another request is refused', async () => {
  const first = await commit('artifacts/retry', A, { requestId: 'r-1', ...fence(1n, 'jobs/retry') });
  await commit('artifacts/retry', B, fence(2n, 'jobs/retry'));
  const again = await commit('artifacts/retry', A, { requestId: 'r-1', ...fence(1n, 'jobs/retry') });
  expect([first.created, again.created, again.version?.name]).toEqual([true, false, first.version?.name]);
  expect(await failure(commit('artifacts/retry', B, { requestId: 'r-1' }))).toMatchObject({ code: 'ALREADY_EXISTS', details: { reason: 'REQUEST_ID_REUSED' } });
});

test.each<readonly [string, readonly ('commit' | 'advance')[], readonly bigint[], readonly boolean[]]>([
  ['commits in order', ['commit', 'commit'], [1n, 2n], [true, true]],
  ['a ghost after its successor\'s commit', ['commit', 'commit', 'commit'], [1n, 2n, 1n], [true, true, false]],
  ['a ghost before its successor\'s first commit', ['commit', 'advance', 'commit'], [1n, 2n, 1n], [true, true, false]],
  ['the newest again', ['advance', 'commit', 'commit'], [5n, 5n, 5n], [true, true, true]],
  ['an announcement that is late', ['advance', 'advance'], [5n, 4n], [true, false]],
  ['an announcement twice', ['advance', 'advance'], [5n, 5n], [true, true]],
])('fence: %s', async (title, acts, generations, expected) => {
  const job = `jobs/${title.replaceAll(/[^a-z]/g, '-')}`;
  const outcomes: boolean[] = [];
  for (const [i, act] of acts.entries()) {
    const generation = generations[i] ?? 0n;
    const call = act === 'commit' ? commit('artifacts/fenced', i % 2 === 0 ? A : B, fence(generation, job)) : served.client.advanceFence(fence(generation, job));
    try {
      await call;
      outcomes.push(true);
    } catch (e) {
      expect(e).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'FENCED', resource: { type: 'Job', name: job }, metadata: { newestGeneration: String(generations[i - 1]) } } });
      outcomes.push(false);
    }
  }
  expect(outcomes).toEqual(expected);
});

test('a commit without its blobs names them and leaves nothing', async () => {
  const error = await failure(commit('artifacts/bare', Buffer.from('never written')));
  expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'BLOBS_MISSING', metadata: { missing: '1' } } });
  expect(error.message).toContain(refOf(Buffer.from('never written')).sha256);
  expect(await failure(served.client.getArtifact({ name: 'artifacts/bare' }))).toMatchObject({ code: 'NOT_FOUND', details: { reason: 'ARTIFACT_NOT_FOUND' } });
});

test('a wrong size of a blob that is there is a missing blob', async () => {
  const entry = { path: 'x', sizeBytes: 1n, blobs: [{ sha256: refOf(A).sha256, sizeBytes: 1n }] };
  expect(await failure(commit('artifacts/bare', A, { entries: [entry] }))).toMatchObject({ details: { reason: 'BLOBS_MISSING' } });
});

test('another type is refused', async () => {
  await commit('artifacts/typed');
  expect(await failure(commit('artifacts/typed', B, { type: 'Schema' }))).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'TYPE_MISMATCH' } });
});

test('all faults of a request arrive in one answer', async () => {
  const error = await failure(served.client.commitVersion({
    artifact: 'nope', type: '', labels: [{ key: ' ', value: '' }], entries: [{ ...entryOf('../x', A), mode: 0o777 }], execution: 'e', outputKey: '/', requestId: '?', fence: { job: 'j', generation: 0n },
  }));
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(error.details.fieldViolations?.map((v) => v.field)).toEqual([
    'artifact', 'type', 'labels[0].key', 'entries[0].path', 'entries[0].mode', 'fence.job', 'fence.generation', 'execution', 'output_key', 'request_id',
  ]);
});

test('thousands of faults are cut to an answer that arrives', async () => {
  const error = await failure(commit('artifacts/x', A, { entries: Array.from({ length: 3000 }, (_, i) => ({ ...entryOf(`/${'é'.repeat(100)}${i}`, A), mode: 1 })) }));
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(error.details.fieldViolations?.length).toBeGreaterThan(20);
});

test('a message beyond the limit is RESOURCE_EXHAUSTED and says what the limit is', async () => {
  const error = await failure(commit('artifacts/x', A, { requestId: 'x'.repeat(17 << 20) }));
  expect(error.code).toBe('RESOURCE_EXHAUSTED');
  expect(error.message).toContain(String(16 << 20));
});

test('lists come in pages that follow one another', async () => {
  const names = ['artifacts/page-a', 'artifacts/page-b', 'artifacts/page-c'];
  for (const name of names) for (const bytes of [A, B]) await commit(name, bytes, { type: 'Paged' });
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await served.client.listArtifacts({ pageSize: 2, pageToken, type: 'Paged', namePrefix: 'page-' });
    seen.push(...page.artifacts.map((a) => a.name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(seen).toEqual(names);
  const first = await served.client.listVersions({ parent: 'artifacts/page-a', pageSize: 1 });
  expect(first.versions.map((v) => [v.name, v.entries.length])).toEqual([['artifacts/page-a/versions/2', 0]]);
  const second = await served.client.listVersions({ parent: 'artifacts/page-a', pageSize: 1, pageToken: first.nextPageToken });
  expect([second.versions.map((v) => v.name), second.nextPageToken]).toEqual([['artifacts/page-a/versions/1'], '']);
  const wrong = await failure(served.client.listVersions({ parent: 'artifacts/page-b', pageSize: -1, pageToken: first.nextPageToken }));
  expect(wrong.details.fieldViolations?.map((v) => v.field)).toEqual(['page_size', 'page_token']);
});

test.each(['artifacts/nobody/versions/1', 'artifacts/nobody/versions/latest', 'artifacts/whole/versions/99'])('%s does not exist', async (name) => {
  expect((await failure(served.client.getVersion({ name }))).code).toBe('NOT_FOUND');
});

test('a version survives a restart; a damaged blob is DATA_LOSS by name, on disk as on the wire', async () => {
  const own = await serve();
  await writeBlob(own, A);
  await own.client.commitVersion({ artifact: 'artifacts/kept', type: 'Model', entries: [entryOf('file', A)] });
  await own.stop();
  const { sha256 } = refOf(A);
  const again = await serve({ folder: own.folder });
  const version = await again.client.getVersion({ name: 'artifacts/kept/versions/1' });
  expect((await readBlob(again, version.entries[0]?.blobs[0]?.sha256 ?? '')).equals(A)).toBe(true);
  const file = path.join(own.folder, 'blobs', sha256.slice(0, 2), sha256);
  const bytes = fs.readFileSync(file);
  bytes[3] = (bytes[3] ?? 0) ^ 4;
  fs.writeFileSync(file, bytes);
  const error = await failure(readBlob(again, sha256));
  expect(error).toMatchObject({ code: 'DATA_LOSS', details: { reason: 'DATA_LOSS', metadata: { sha256 } } });
  await again.stop();
});
