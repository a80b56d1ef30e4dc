import type { Deletion, Label, Manifest, VersionName, Fence } from '@lockstep/versions';
import { decodeManifest, encodeManifest, formatArtifactName, formatVersionName, manifestBlobs, manifestSizeBytes, sha256Of, VersionsError } from '@lockstep/versions';
import { StorageError } from '@lockstep/storage';
import type { Kysely } from 'kysely';
import { blobReferenceStore } from './blob-reference-store';
import type { ArtifactSchema } from './schema';

/** An artifact as it is kept. */
export interface ArtifactRecord {
  readonly id: string;
  readonly type: string;
  /** The newest one that was not deleted; 0 when all were. */
  readonly latestVersion: number;
  /** The last number that was given out. */
  readonly lastNumber: number;
  readonly createTimeMs: number;
  /** Of its newest version that was not deleted. */
  readonly labels: readonly Label[];
}

/** A version as it is kept, without its manifest. */
export interface VersionRecord extends VersionName {
  readonly type: string;
  readonly digest: string;
  readonly labels: readonly Label[];
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly createTimeMs: number;
  readonly execution?: string;
  readonly fence?: Fence;
  readonly deletion?: Deletion;
}

/** A version that is to be kept. */
export interface NewVersion extends VersionName {
  readonly digest: string;
  readonly manifest: Manifest;
  readonly labels: readonly Label[];
  readonly createTimeMs: number;
  readonly execution?: string;
  readonly fence?: Fence;
}

/** Rows of a keyset page: those after a key, one more than the page has so that its end is known. */
export interface PageOf<Key> {
  readonly after?: Key;
  readonly limit: number;
}

type Query = Kysely<ArtifactSchema>;

/** Reads and writes of artifacts, versions and fences; each runs where it is told, in a transaction or outside. */
export const versionStore = {
  async findArtifact(query: Query, id: string): Promise<ArtifactRecord | undefined> {
    const row = await artifacts(query).where('artifact.id', '=', id).executeTakeFirst();
    return row && toArtifact(row);
  },

  /** Sorted by id. */
  async listArtifacts(query: Query, filter: { readonly type: string; readonly prefix: string; readonly showDeleted: boolean }, page: PageOf<string>): Promise<readonly ArtifactRecord[]> {
    let select = artifacts(query).orderBy('artifact.id').limit(page.limit);
    if (!filter.showDeleted) select = select.where('artifact.latest_version', '>', 0);
    if (filter.type !== '') select = select.where('artifact.type', '=', filter.type);
    // An id has only characters below "~", so this range is what begins with the prefix.
    if (filter.prefix !== '') select = select.where('artifact.id', '>=', filter.prefix).where('artifact.id', '<', `${filter.prefix}~`);
    if (page.after !== undefined) select = select.where('artifact.id', '>', page.after);
    return (await select.execute()).map(toArtifact);
  },

  async findVersion(query: Query, name: VersionName): Promise<VersionRecord | undefined> {
    const row = await versions(query).where('version.artifact', '=', name.artifact).where('version.number', '=', name.number).executeTakeFirst();
    return row && toVersion(row);
  },

  /** Number of the artifact's version with this digest that was not deleted. */
  async findByDigest(query: Query, artifact: string, digest: string): Promise<number | undefined> {
    return (await query.selectFrom('version').select('number').where('artifact', '=', artifact).where('digest', '=', digest).where('delete_time_ms', 'is', null).executeTakeFirst())?.number;
  },

  /** Newest first. */
  async listVersions(query: Query, artifact: string, showDeleted: boolean, page: PageOf<number>): Promise<readonly VersionRecord[]> {
    let select = versions(query).where('version.artifact', '=', artifact).orderBy('version.number', 'desc').limit(page.limit);
    if (!showDeleted) select = select.where('version.delete_time_ms', 'is', null);
    if (page.after !== undefined) select = select.where('version.number', '<', page.after);
    return (await select.execute()).map(toVersion);
  },

  /** Of a version that was not deleted. @throws StorageError DATA_LOSS when what is stored does not have the version's digest */
  async readManifest(query: Query, { artifact, number, digest }: VersionRecord): Promise<Manifest> {
    const row = await query.selectFrom('manifest').select('bytes').where('digest', '=', digest).executeTakeFirst();
    const name = formatVersionName({ artifact, number });
    if (!row || sha256Of(row.bytes) !== digest) {
      throw new StorageError('DATA_LOSS', `the manifest of ${name} is damaged: restore the data folder from a backup, or commit the files again under another artifact`, { resource: name, sha256: digest });
    }
    return decodeManifest(row.bytes);
  },

  async insertArtifact(query: Query, artifact: { readonly id: string; readonly type: string; readonly createTimeMs: number }): Promise<void> {
    await query.insertInto('artifact').values({ id: artifact.id, type: artifact.type, latest_version: 0, last_number: 0, create_time_ms: artifact.createTimeMs }).execute();
  },

  /** Writes a version and makes it the newest of its artifact, which exists. Its blobs are garbage no more, and must be there. */
  async insertVersion(query: Query, version: NewVersion): Promise<void> {
    const { artifact, number, digest, manifest, fence } = version;
    const bytes = encodeManifest(manifest);
    // A manifest whose versions were all deleted is there without its bytes.
    await query.insertInto('manifest').values({ digest, bytes }).onConflict((c) => c.column('digest').doUpdateSet({ bytes })).execute();
    await blobReferenceStore.add(query, digest, manifestBlobs(manifest));
    await query.insertInto('version').values({
      artifact, number, digest, labels: JSON.stringify(version.labels), file_count: manifest.entries.length, size_bytes: manifestSizeBytes(manifest),
      create_time_ms: version.createTimeMs, execution: version.execution ?? null, fence_job: fence?.job ?? null, fence_generation: fence?.generation ?? null,
      delete_time_ms: null, delete_reason: null,
    }).execute();
    await query.updateTable('artifact').set({ latest_version: number, last_number: number }).where('id', '=', artifact).execute();
  },

  /** Deletes a version that is there: its row stays, its manifest and the claim on its blobs go with the last version that has them. */
  async markDeleted(query: Query, { artifact, number, digest }: VersionRecord, deletion: Deletion): Promise<void> {
    await query.updateTable('version').set({ delete_time_ms: deletion.timeMs, delete_reason: deletion.reason }).where('artifact', '=', artifact).where('number', '=', number).execute();
    const newest = await query.selectFrom('version').select('number').where('artifact', '=', artifact).where('delete_time_ms', 'is', null).orderBy('number', 'desc').limit(1).executeTakeFirst();
    await query.updateTable('artifact').set({ latest_version: newest?.number ?? 0 }).where('id', '=', artifact).execute();
    const other = await query.selectFrom('version').select('number').where('digest', '=', digest).where('delete_time_ms', 'is', null).limit(1).executeTakeFirst();
    if (other) return;
    await query.updateTable('manifest').set({ bytes: new Uint8Array() }).where('digest', '=', digest).execute();
    await blobReferenceStore.drop(query, digest);
  },

  /** How many versions are there, and how many were deleted. */
  async countVersions(query: Query): Promise<{ readonly present: number; readonly deleted: number }> {
    const { all, deleted } = await query.selectFrom('version')
      .select((e) => [e.fn.countAll<number>().as('all'), e.fn.count<number>('delete_time_ms').as('deleted')]).executeTakeFirstOrThrow();
    return { present: all - deleted, deleted };
  },

  async newestGeneration(query: Query, job: string): Promise<number | undefined> {
    return (await query.selectFrom('fence').select('generation').where('job', '=', job).executeTakeFirst())?.generation;
  },

  async advanceFence(query: Query, { job, generation }: Fence): Promise<void> {
    await query.insertInto('fence').values({ job, generation }).onConflict((c) => c.column('job').doUpdateSet({ generation })).execute();
  },
};

/** A version that was committed, whether or not it was deleted since. @throws VersionsError VERSION_NOT_FOUND */
export async function requireKnownVersion(query: Query, name: VersionName): Promise<VersionRecord> {
  const found = await versionStore.findVersion(query, name);
  if (found) return found;
  const resource = formatVersionName(name);
  const artifact = await versionStore.findArtifact(query, name.artifact);
  throw new VersionsError('VERSION_NOT_FOUND', `${resource} does not exist: ${artifact ? newestOf(artifact) : `there is no artifact ${name.artifact}`}`, { resource });
}

/** A version that is there. @throws VersionsError VERSION_NOT_FOUND, VERSION_DELETED */
export async function requireVersion(query: Query, name: VersionName): Promise<VersionRecord> {
  const version = await requireKnownVersion(query, name);
  const { deletion } = version;
  if (!deletion) return version;
  const resource = formatVersionName(name);
  const artifact = await versionStore.findArtifact(query, name.artifact);
  const time = new Date(deletion.timeMs).toISOString();
  throw new VersionsError('VERSION_DELETED', `${resource} was deleted at ${time}${deletion.reason === '' ? '' : ` (${deletion.reason})`}${artifact ? `; ${newestOf(artifact)}` : ''}`, { resource, deleteTime: time });
}

/** Which version to take instead, in words. */
export const newestOf = ({ id, latestVersion, lastNumber }: ArtifactRecord): string => (latestVersion > 0
  ? `the newest version of ${id} is ${latestVersion}`
  : `${formatArtifactName(id)} has no version any more, ${lastNumber === 1 ? 'its only one was' : `all ${lastNumber} were`} deleted`);

const artifacts = (query: Query) => query.selectFrom('artifact')
  .leftJoin('version', (j) => j.onRef('version.artifact', '=', 'artifact.id').onRef('version.number', '=', 'artifact.latest_version'))
  .select(['artifact.id', 'artifact.type', 'artifact.latest_version', 'artifact.last_number', 'artifact.create_time_ms', 'version.labels']);

const versions = (query: Query) => query.selectFrom('version')
  .innerJoin('artifact', 'artifact.id', 'version.artifact')
  .selectAll('version').select('artifact.type');

type ArtifactRow = Awaited<ReturnType<ReturnType<typeof artifacts>['executeTakeFirstOrThrow']>>;
type VersionRow = Awaited<ReturnType<ReturnType<typeof versions>['executeTakeFirstOrThrow']>>;

/** Labels as this module wrote them. */
export const readLabels = (json: string): readonly Label[] => JSON.parse(json) as readonly Label[];

const toArtifact = (row: ArtifactRow): ArtifactRecord => ({
  id: row.id, type: row.type, latestVersion: row.latest_version, lastNumber: row.last_number, createTimeMs: row.create_time_ms, labels: row.labels === null ? [] : readLabels(row.labels),
});

function toVersion(row: VersionRow): VersionRecord {
  return {
    artifact: row.artifact, number: row.number, type: row.type, digest: row.digest, labels: readLabels(row.labels), fileCount: row.file_count,
    sizeBytes: row.size_bytes, createTimeMs: row.create_time_ms,
    ...(row.execution !== null && { execution: row.execution }),
    ...(row.fence_job !== null && row.fence_generation !== null && { fence: { job: row.fence_job, generation: row.fence_generation } }),
    ...(row.delete_time_ms !== null && { deletion: { timeMs: row.delete_time_ms, reason: row.delete_reason ?? '' } }),
  };
}
