import type { Label, Manifest, VersionName, Fence } from '@lockstep/versions';
import { decodeManifest, encodeManifest, formatVersionName, manifestSizeBytes, sha256Of, VersionsError } from '@lockstep/versions';
import { StorageError } from '@lockstep/storage';
import type { Kysely } from 'kysely';
import type { ArtifactSchema } from './schema';

/** An artifact as it is kept. */
export interface ArtifactRecord {
  readonly id: string;
  readonly type: string;
  readonly latestVersion: number;
  readonly createTimeMs: number;
  /** Of its newest version. */
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
  async listArtifacts(query: Query, filter: { readonly type: string; readonly prefix: string }, page: PageOf<string>): Promise<readonly ArtifactRecord[]> {
    let select = artifacts(query).orderBy('artifact.id').limit(page.limit);
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

  /** Number of the artifact's version with this digest. */
  async findByDigest(query: Query, artifact: string, digest: string): Promise<number | undefined> {
    return (await query.selectFrom('version').select('number').where('artifact', '=', artifact).where('digest', '=', digest).executeTakeFirst())?.number;
  },

  /** Newest first. */
  async listVersions(query: Query, artifact: string, page: PageOf<number>): Promise<readonly VersionRecord[]> {
    let select = versions(query).where('version.artifact', '=', artifact).orderBy('version.number', 'desc').limit(page.limit);
    if (page.after !== undefined) select = select.where('version.number', '<', page.after);
    return (await select.execute()).map(toVersion);
  },

  /** @throws StorageError DATA_LOSS when what is stored does not have the version's digest */
  async readManifest(query: Query, { artifact, number, digest }: VersionRecord): Promise<Manifest> {
    const row = await query.selectFrom('manifest').select('bytes').where('digest', '=', digest).executeTakeFirst();
    const name = formatVersionName({ artifact, number });
    if (!row || sha256Of(row.bytes) !== digest) {
      throw new StorageError('DATA_LOSS', `the manifest of ${name} is damaged: restore the data folder from a backup, or commit the files again under another artifact`, { resource: name, sha256: digest });
    }
    return decodeManifest(row.bytes);
  },

  async insertArtifact(query: Query, artifact: { readonly id: string; readonly type: string; readonly createTimeMs: number }): Promise<void> {
    await query.insertInto('artifact').values({ id: artifact.id, type: artifact.type, latest_version: 0, create_time_ms: artifact.createTimeMs }).execute();
  },

  /** Writes a version and makes it the newest of its artifact, which exists. */
  async insertVersion(query: Query, version: NewVersion): Promise<void> {
    const { artifact, number, digest, manifest, fence } = version;
    await query.insertInto('manifest').values({ digest, bytes: encodeManifest(manifest) }).onConflict((c) => c.column('digest').doNothing()).execute();
    await query.insertInto('version').values({
      artifact, number, digest, labels: JSON.stringify(version.labels), file_count: manifest.entries.length, size_bytes: manifestSizeBytes(manifest),
      create_time_ms: version.createTimeMs, execution: version.execution ?? null, fence_job: fence?.job ?? null, fence_generation: fence?.generation ?? null,
    }).execute();
    await query.updateTable('artifact').set({ latest_version: number }).where('id', '=', artifact).execute();
  },

  async newestGeneration(query: Query, job: string): Promise<number | undefined> {
    return (await query.selectFrom('fence').select('generation').where('job', '=', job).executeTakeFirst())?.generation;
  },

  async advanceFence(query: Query, { job, generation }: Fence): Promise<void> {
    await query.insertInto('fence').values({ job, generation }).onConflict((c) => c.column('job').doUpdateSet({ generation })).execute();
  },
};

/** @throws VersionsError VERSION_NOT_FOUND */
export async function requireVersion(query: Query, name: VersionName): Promise<VersionRecord> {
  const found = await versionStore.findVersion(query, name);
  if (found) return found;
  const resource = formatVersionName(name);
  const artifact = await versionStore.findArtifact(query, name.artifact);
  const hint = artifact ? `the newest version of ${name.artifact} is ${artifact.latestVersion}` : `there is no artifact ${name.artifact}`;
  throw new VersionsError('VERSION_NOT_FOUND', `${resource} does not exist: ${hint}`, { resource });
}

const artifacts = (query: Query) => query.selectFrom('artifact')
  .innerJoin('version', (j) => j.onRef('version.artifact', '=', 'artifact.id').onRef('version.number', '=', 'artifact.latest_version'))
  .select(['artifact.id', 'artifact.type', 'artifact.latest_version', 'artifact.create_time_ms', 'version.labels']);

const versions = (query: Query) => query.selectFrom('version')
  .innerJoin('artifact', 'artifact.id', 'version.artifact')
  .selectAll('version').select('artifact.type');

type ArtifactRow = Awaited<ReturnType<ReturnType<typeof artifacts>['executeTakeFirstOrThrow']>>;
type VersionRow = Awaited<ReturnType<ReturnType<typeof versions>['executeTakeFirstOrThrow']>>;

/** Labels as this module wrote them. */
export const readLabels = (json: string): readonly Label[] => JSON.parse(json) as readonly Label[];

const toArtifact = (row: ArtifactRow): ArtifactRecord =>
  ({ id: row.id, type: row.type, latestVersion: row.latest_version, createTimeMs: row.create_time_ms, labels: readLabels(row.labels) });

function toVersion(row: VersionRow): VersionRecord {
  return {
    artifact: row.artifact, number: row.number, type: row.type, digest: row.digest, labels: readLabels(row.labels), fileCount: row.file_count,
    sizeBytes: row.size_bytes, createTimeMs: row.create_time_ms,
    ...(row.execution !== null && { execution: row.execution }),
    ...(row.fence_job !== null && row.fence_generation !== null && { fence: { job: row.fence_job, generation: row.fence_generation } }),
  };
}
