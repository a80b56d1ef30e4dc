export { MAX_BLOB_BYTES, MIN_BLOB_BYTES, nextBlobLength } from './blob-cutter';
export { decideCommit, fenced, type CommitCommand, type CommitDecision, type CommitEvent, type CommitKnowledge } from './commit';
export { decideDeletion, MAX_REASON_BYTES, type Deletion, type DeletionDecision } from './deletion';
export {
  decideCompletion, type CompletionDecision, type ExecutionArtifact, type ExecutionOutcome, type ExecutionSpec, type ExecutionState,
} from './execution';
export { decideFence, type Fence, type FenceDecision } from './fence';
export { comparePaths, filePathFault, MAX_PATH_BYTES, MAX_PATH_PART_BYTES } from './file-path';
export { labelViolations, MAX_LABELS, MAX_LABEL_VALUE_BYTES, roleFault, sortLabels, typeFault, type Label } from './label';
export {
  blobFaults, buildManifest, FILE_MODES, manifestBlobs, manifestSizeBytes, MAX_MANIFEST_ENTRIES,
  type BlobRef, type FileMode, type Manifest, type ManifestEntry, type ManifestResult, type ProposedEntry,
} from './manifest';
export { decodeManifest, encodeManifest, manifestDigest } from './manifest-codec';
export {
  formatArtifactName, formatExecutionName, formatJobName, formatVersionName, isResourceId, nameFault, parseArtifactName, parseExecutionName,
  parseJobName, parseVersionName, parseVersionQuery, resourceIdFault, type NameKind, type VersionName, type VersionQuery,
} from './resource-name';
export { supersededNumbers } from './retention';
export { isSha256, sha256Of, type Sha256 } from './sha256';
export { VersionsError, type VersionsErrorReason } from './versions-error';
export { quote, type Violation } from './violation';
