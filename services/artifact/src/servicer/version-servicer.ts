import type { ArtifactService, CommitVersionRequest } from '@lockstep/contract';
import type { ServiceImplementation } from '@lockstep/rpc';
import { cutPage } from '@lockstep/storage';
import { buildManifest, formatJobName, MAX_REASON_BYTES, roleFault, typeFault, type Manifest } from '@lockstep/versions';
import type { CommitPolicy, CommitRequest } from '../policy/commit-policy';
import type { DeletionPolicy } from '../policy/deletion-policy';
import type { PolicyContext } from '../policy/policy-context';
import { readVersion, requireArtifact } from '../policy/version-policy';
import { versionStore } from '../store/version-store';
import { RequestCheck } from './request-check';
import { artifactToProto, versionToProto } from './to-proto';

type Methods = 'getArtifact' | 'listArtifacts' | 'getVersion' | 'listVersions' | 'deleteVersion' | 'commitVersion' | 'advanceFence';

/** Artifacts, versions and fences on the wire. */
export function versionServicer({ database: { query } }: PolicyContext, commits: CommitPolicy, deletions: DeletionPolicy): Pick<ServiceImplementation<typeof ArtifactService>, Methods> {
  return {
    async getArtifact(request) {
      const check = new RequestCheck();
      const id = check.artifactName('name', request.name);
      check.done();
      return artifactToProto(await requireArtifact(query, id));
    },

    async listArtifacts(request) {
      const check = new RequestCheck();
      const filter = { type: request.type, prefix: request.namePrefix, showDeleted: request.showDeleted };
      const pageQuery = { list: 'artifacts', ...filter, showDeleted: Number(filter.showDeleted) };
      const { size, start } = check.page(pageQuery, request);
      check.done();
      const rows = await versionStore.listArtifacts(query, filter, { limit: size + 1, ...(start.kind === 'AFTER' && { after: start.key }) });
      const page = cutPage(pageQuery, rows, size, (row) => row.id);
      return { artifacts: page.rows.map(artifactToProto), nextPageToken: page.nextPageToken };
    },

    async getVersion(request) {
      const check = new RequestCheck();
      const name = check.versionQuery('name', request.name);
      check.done();
      const { version, manifest } = await readVersion(query, name, request.showDeleted);
      return versionToProto(version, manifest);
    },

    async listVersions(request) {
      const check = new RequestCheck();
      const artifact = check.artifactName('parent', request.parent);
      const pageQuery = { list: 'versions', artifact, showDeleted: Number(request.showDeleted) };
      const { size, start } = check.page(pageQuery, request);
      check.done();
      await requireArtifact(query, artifact);
      const rows = await versionStore.listVersions(query, artifact, request.showDeleted, { limit: size + 1, ...(start.kind === 'AFTER' && { after: Number(start.key) }) });
      const page = cutPage(pageQuery, rows, size, (row) => row.number);
      return { versions: page.rows.map((row) => versionToProto(row)), nextPageToken: page.nextPageToken };
    },

    async deleteVersion(request) {
      const check = new RequestCheck();
      const name = check.versionName('name', request.name);
      if (Buffer.byteLength(request.reason, 'utf8') > MAX_REASON_BYTES) check.fault('reason', `is longer than ${MAX_REASON_BYTES} bytes`);
      check.done();
      return versionToProto(await deletions.delete(name, request.reason));
    },

    async commitVersion(request) {
      const { version, created } = await commits.commit(readCommit(request));
      return { version: versionToProto(version), created };
    },

    async advanceFence(request) {
      const check = new RequestCheck();
      const fence = check.fence('fence', request.fence ?? { job: '', generation: 0n });
      check.done();
      await commits.advanceFence(fence);
      return { job: formatJobName(fence.job), generation: BigInt(fence.generation) };
    },
  };
}

function readCommit(request: CommitVersionRequest): CommitRequest {
  const check = new RequestCheck();
  const artifact = check.artifactName('artifact', request.artifact);
  check.fault('type', typeFault(request.type));
  const labels = check.labels('labels', request.labels);
  const manifest = readManifest(check, request);
  const fence = request.fence && check.fence('fence', request.fence);
  const execution = request.execution === '' ? undefined : check.executionName('execution', request.execution);
  if (execution === undefined && request.outputKey !== '') check.fault('output_key', 'needs an execution to be a role in');
  if (request.outputKey !== '') check.fault('output_key', roleFault(request.outputKey));
  const requestId = check.requestId(request.requestId);
  check.done();
  return {
    artifact, type: request.type, labels, manifest,
    ...(fence && { fence }),
    ...(execution !== undefined && { output: { execution, key: request.outputKey === '' ? request.type : request.outputKey } }),
    ...(requestId !== undefined && { requestId }),
  };
}

const DEFAULT_MODE = 0o644;

function readManifest(check: RequestCheck, request: CommitVersionRequest): Manifest {
  const result = buildManifest(request.entries.map((entry, i) => ({
    path: entry.path,
    mode: entry.mode === 0 ? DEFAULT_MODE : entry.mode,
    sizeBytes: check.number(`entries[${i}].size_bytes`, entry.sizeBytes),
    blobs: entry.blobs.map((blob) => ({ sha256: blob.sha256, sizeBytes: Number(blob.sizeBytes) })),
  })));
  switch (result.kind) {
    case 'VALID': return result.manifest;
    case 'INVALID':
      check.add(result.violations);
      return { entries: [] };
  }
}
