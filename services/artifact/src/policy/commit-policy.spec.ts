import { fromBinary } from '@bufbuild/protobuf';
import { ArtifactEventSchema } from '@lockstep/contract';
import { DiskBlobStore, EventLog, openDatabase } from '@lockstep/storage';
import { rejection, removeTemporaryFolders, store, temporaryFolder } from '@lockstep/storage/testing';
import { buildManifest, formatVersionName, type Manifest } from '@lockstep/versions';
import { sql } from 'kysely';
import { artifactMigrations, type ArtifactSchema } from '../store/schema';
import { versionStore } from '../store/version-store';
import { BlobKeeper } from './blob-keeper';
import { CommitPolicy, type CommitRequest } from './commit-policy';
import type { PolicyContext } from './policy-context';

removeTemporaryFolders();
let context: PolicyContext;
let nowMs: number;
let commits: CommitPolicy;
let manifest: (files: number) => Manifest;
beforeEach(async () => {
  const folder = temporaryFolder();
  nowMs = 1_700_000_000_000;
  const database = await openDatabase<ArtifactSchema>({ folder, service: 'artifact', programVersion: '1', migrations: artifactMigrations });
  const blobs = await DiskBlobStore.open({ root: folder, maxBlobBytes: 1 << 20, maxUploads: 4, uploadLeaseMs: 1000, now: () => 0 });
  context = { database, blobs, events: new EventLog(database), now: () => nowMs, newId: () => 'id' };
  commits = new CommitPolicy(context, new BlobKeeper(context));
  const blob = await store(blobs, 'u', Buffer.from('x'));
  manifest = (files) => {
    const result = buildManifest(Array.from({ length: files }, (_, i) => ({ path: `f${i}`, mode: 0o644, sizeBytes: 1, blobs: [blob] })));
    if (result.kind === 'INVALID') throw new Error('the manifest is not valid');
    return result.manifest;
  };
});
afterEach(() => context.database.close());
const request = (files: number, more: Partial<CommitRequest> = {}): CommitRequest => ({ artifact: 'a', type: 'T', labels: [], manifest: manifest(files), ...more });
const events = async (subject: string) => (await context.events.read(subject, 0, 100)).map((e) => {
  const { event } = fromBinary(ArtifactEventSchema, e.payload);
  return [e.type, event.case, e.timeMs] as const;
});

test('a disk that is full at the commit leaves no version, no number, no fence and no event', async () => {
  await commits.commit(request(1));
  await sql`pragma max_page_count = 40`.execute(context.database.query);
  const error = await rejection(commits.commit(request(20_000, { fence: { job: 'j', generation: 1 } })));
  expect(error).toMatchObject({ reason: 'DISK_FULL' });
  expect((await versionStore.findArtifact(context.database.query, 'a'))?.latestVersion).toBe(1);
  expect(await versionStore.newestGeneration(context.database.query, 'j')).toBeUndefined();
  expect(await events('jobs/j')).toEqual([]);
  expect(await events('artifacts/a')).toHaveLength(2);
  await sql`pragma max_page_count = 1000000`.execute(context.database.query);
  const { version, created } = await commits.commit(request(20_000, { fence: { job: 'j', generation: 1 } }));
  expect([formatVersionName(version), created]).toEqual(['artifacts/a/versions/2', true]);
});

test('a change and its events are written together, each once', async () => {
  await commits.commit(request(1, { fence: { job: 'j', generation: 2 } }));
  nowMs += 5;
  await commits.commit(request(1, { fence: { job: 'j', generation: 2 } }));
  await rejection(commits.commit(request(2, { fence: { job: 'j', generation: 1 } })));
  expect(await events('artifacts/a')).toEqual([['ARTIFACT_CREATED', 'artifactCreated', nowMs - 5], ['VERSION_COMMITTED', 'versionCommitted', nowMs - 5]]);
  expect(await events('jobs/j')).toEqual([['FENCE_ADVANCED', 'fenceAdvanced', nowMs - 5]]);
});

test('request ids are remembered for a day and then forgotten, so that they do not pile up', async () => {
  const count = async (): Promise<number> => (await context.database.query.selectFrom('request').selectAll().execute()).length;
  for (let i = 0; i < 5; i++) await commits.commit(request(i + 1, { requestId: `r${i}` }));
  nowMs += 23 * 3600_000;
  await commits.commit(request(7, { requestId: 'later' }));
  expect(await count()).toBe(6);
  nowMs += 2 * 3600_000;
  await commits.commit(request(8, { requestId: 'latest' }));
  expect(await count()).toBe(2);
});

test('a manifest that was changed in the database is DATA_LOSS, by name', async () => {
  const { version } = await commits.commit(request(3));
  await sql`update manifest set bytes = cast(replace(cast(bytes as text), 'f1', 'g1') as blob)`.execute(context.database.query);
  expect(await rejection(versionStore.readManifest(context.database.query, version))).toMatchObject({ reason: 'DATA_LOSS', message: expect.stringContaining('artifacts/a/versions/1') });
});
