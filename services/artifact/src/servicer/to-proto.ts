import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ExecutionState, type ArtifactSchema, type ExecutionSchema, type ManifestEntrySchema, type VersionSchema } from '@lockstep/contract';
import { formatArtifactName, formatExecutionName, formatJobName, formatVersionName, type Label, type Manifest } from '@lockstep/versions';
import type { ExecutionRecord, TypedArtifact } from '../store/execution-store';
import type { ArtifactRecord, VersionRecord } from '../store/version-store';

const copy = (labels: readonly Label[]): Label[] => labels.map(({ key, value }) => ({ key, value }));

export const artifactToProto = (record: ArtifactRecord): MessageInitShape<typeof ArtifactSchema> => ({
  name: formatArtifactName(record.id), type: record.type, labels: copy(record.labels), createTime: timestampFromMs(record.createTimeMs), latestVersion: BigInt(record.latestVersion),
});

/** A version, with its entries when the manifest is given. */
export const versionToProto = (record: VersionRecord, manifest?: Manifest): MessageInitShape<typeof VersionSchema> => ({
  name: formatVersionName(record), type: record.type, digest: record.digest, labels: copy(record.labels), fileCount: record.fileCount, sizeBytes: BigInt(record.sizeBytes),
  createTime: timestampFromMs(record.createTimeMs), entries: manifest ? entriesToProto(manifest) : [],
  ...(record.execution !== undefined && { execution: formatExecutionName(record.execution) }),
  ...(record.fence && { fence: { job: formatJobName(record.fence.job), generation: BigInt(record.fence.generation) } }),
  ...(record.deletion && { deleteTime: timestampFromMs(record.deletion.timeMs), deleteReason: record.deletion.reason }),
});

const entriesToProto = ({ entries }: Manifest): MessageInitShape<typeof ManifestEntrySchema>[] => entries.map((entry) => ({
  path: entry.path, sizeBytes: BigInt(entry.sizeBytes), mode: entry.mode, blobs: entry.blobs.map((b) => ({ sha256: b.sha256, sizeBytes: BigInt(b.sizeBytes) })),
}));

const linkToProto = ({ key, version, type }: TypedArtifact) => ({ key, version: formatVersionName(version), type });

export function executionToProto(record: ExecutionRecord): MessageInitShape<typeof ExecutionSchema> {
  const { state } = record;
  return {
    name: formatExecutionName(record.id), type: record.type, state: ExecutionState[state.kind], specDigest: record.specDigest, labels: copy(record.labels),
    inputs: record.inputs.map(linkToProto), outputs: record.outputs.map(linkToProto), createTime: timestampFromMs(record.createTimeMs),
    ...(state.kind !== 'RUNNING' && { endTime: timestampFromMs(state.endTimeMs), detail: state.detail }),
  };
}
