import { formatArtifactName, VersionsError, type Manifest, type VersionQuery } from '@lockstep/versions';
import type { Kysely } from 'kysely';
import type { ArtifactSchema } from '../store/schema';
import { requireVersion, versionStore, type ArtifactRecord, type VersionRecord } from '../store/version-store';

type Query = Kysely<ArtifactSchema>;

/** @throws VersionsError ARTIFACT_NOT_FOUND */
export async function requireArtifact(query: Query, id: string): Promise<ArtifactRecord> {
  const found = await versionStore.findArtifact(query, id);
  if (found) return found;
  const resource = formatArtifactName(id);
  throw new VersionsError('ARTIFACT_NOT_FOUND', `${resource} does not exist: it comes to be with the commit of its first version`, { resource });
}

/** Finds the version that a request names, by number or as the newest. @throws VersionsError ARTIFACT_NOT_FOUND, VERSION_NOT_FOUND */
export async function resolveVersion(query: Query, { artifact, number }: VersionQuery): Promise<VersionRecord> {
  const resolved = number === 'latest' ? (await requireArtifact(query, artifact)).latestVersion : number;
  return requireVersion(query, { artifact, number: resolved });
}

/** A version with its manifest, verified. @throws also StorageError DATA_LOSS */
export async function readVersion(query: Query, name: VersionQuery): Promise<{ readonly version: VersionRecord; readonly manifest: Manifest }> {
  const version = await resolveVersion(query, name);
  return { version, manifest: await versionStore.readManifest(query, version) };
}
