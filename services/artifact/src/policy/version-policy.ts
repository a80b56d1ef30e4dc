import { formatArtifactName, VersionsError, type Manifest, type VersionName, type VersionQuery } from '@lockstep/versions';
import type { Kysely } from 'kysely';
import type { ArtifactSchema } from '../store/schema';
import { newestOf, requireKnownVersion, requireVersion, versionStore, type ArtifactRecord, type VersionRecord } from '../store/version-store';

type Query = Kysely<ArtifactSchema>;

/** @throws VersionsError ARTIFACT_NOT_FOUND */
export async function requireArtifact(query: Query, id: string): Promise<ArtifactRecord> {
  const found = await versionStore.findArtifact(query, id);
  if (found) return found;
  const resource = formatArtifactName(id);
  throw new VersionsError('ARTIFACT_NOT_FOUND', `${resource} does not exist: it comes to be with the commit of its first version`, { resource });
}

/** Finds the version that a request names, by number or as the newest. @throws VersionsError ARTIFACT_NOT_FOUND, VERSION_NOT_FOUND, VERSION_DELETED */
export async function resolveVersion(query: Query, name: VersionQuery): Promise<VersionRecord> {
  return requireVersion(query, await resolveNumber(query, name));
}

/** A version with its manifest, verified; without one when it was deleted. @throws as resolveVersion; StorageError DATA_LOSS */
export async function readVersion(query: Query, name: VersionQuery, showDeleted: boolean): Promise<{ readonly version: VersionRecord; readonly manifest?: Manifest }> {
  const version = await (showDeleted ? requireKnownVersion : requireVersion)(query, await resolveNumber(query, name));
  return version.deletion ? { version } : { version, manifest: await versionStore.readManifest(query, version) };
}

async function resolveNumber(query: Query, { artifact: id, number }: VersionQuery): Promise<VersionName> {
  if (number !== 'latest') return { artifact: id, number };
  const artifact = await requireArtifact(query, id);
  if (artifact.latestVersion === 0) throw new VersionsError('VERSION_DELETED', newestOf(artifact), { resource: formatArtifactName(id) });
  return { artifact: id, number: artifact.latestVersion };
}
