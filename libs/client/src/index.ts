export { CoordinatorClient, type SubmitOptions } from './coordinator/coordinator-client';
export { ArtifactClient, type ArtifactClientOptions, type BeginExecution, type ExecutionLink, type PutOptions, type PutResult } from './artifact/artifact-client';
export type { DownloadOptions } from './artifact/download';
export { fileOfBytes, fileOnDisk, filesBelow, type FileReader, type FileSource } from './artifact/file-source';
export type { OnProgress, TransferProgress } from './artifact/progress';
export { DEFAULT_RETRY, withRetry, type RetryPolicy } from './artifact/retry';
export { TransferError, type TransferErrorReason } from './artifact/transfer-error';
export { VersionCache } from './artifact/version-cache';
export { fromProgressPoint, toProgressPoint } from './progress-point';
