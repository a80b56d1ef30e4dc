import { RpcError, type StatusCode } from '@lockstep/rpc';
import { isOutage, StorageError, type StorageErrorReason } from '@lockstep/storage';
import { VersionsError, type VersionsErrorReason } from '@lockstep/versions';

/** When it is worth trying again after a refusal that time heals. */
const RETRY_AFTER_MS = 1000;

/** The one place where domain errors become gRPC's; undefined for what is neither. */
export function mapError(caught: unknown): RpcError | undefined {
  if (caught instanceof VersionsError) return toRpc(codeOfVersions(caught.reason), caught);
  if (isOutage(caught)) return toRpc('UNAVAILABLE', caught, `the artifact service cannot use its database now: ${caught.message}. What it has acknowledged is kept; try again`);
  if (caught instanceof StorageError && isOutOfDescriptors(caught.cause)) {
    return toRpc('RESOURCE_EXHAUSTED', caught, `${caught.message}. The artifact service has no file descriptors left: raise the limit of its process (ulimit -n), or try again when fewer use it`);
  }
  if (caught instanceof StorageError) return toRpc(codeOfStorage(caught.reason), caught);
  return undefined;
}

function codeOfVersions(reason: VersionsErrorReason): StatusCode {
  switch (reason) {
    case 'ARTIFACT_NOT_FOUND':
    case 'VERSION_NOT_FOUND':
    case 'VERSION_DELETED':
    case 'EXECUTION_NOT_FOUND': return 'NOT_FOUND';
    case 'FENCED':
    case 'VERSION_IN_USE':
    case 'TYPE_MISMATCH':
    case 'BLOBS_MISSING':
    case 'EXECUTION_ENDED': return 'FAILED_PRECONDITION';
    case 'EXECUTION_EXISTS':
    case 'REQUEST_ID_REUSED': return 'ALREADY_EXISTS';
    case 'MALFORMED_MANIFEST': return 'DATA_LOSS';
  }
}

function codeOfStorage(reason: StorageErrorReason): StatusCode {
  switch (reason) {
    case 'DISK_FULL':
    case 'TOO_MANY_UPLOADS': return 'RESOURCE_EXHAUSTED';
    case 'DATA_LOSS': return 'DATA_LOSS';
    case 'BLOB_NOT_FOUND': return 'NOT_FOUND';
    case 'BLOB_TOO_LARGE':
    case 'DIGEST_MISMATCH':
    case 'SIZE_MISMATCH': return 'INVALID_ARGUMENT';
    case 'OFFSET_MISMATCH':
    case 'RANGE_BEYOND_END': return 'OUT_OF_RANGE';
    case 'UPLOAD_BUSY': return 'ABORTED';
    case 'OTHER_VERSION':
    case 'OTHER_SERVICE':
    case 'FOLDER_LOCKED': return 'FAILED_PRECONDITION';
    case 'IO': return 'INTERNAL';
  }
}

const isOutOfDescriptors = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && (cause.code === 'EMFILE' || cause.code === 'ENFILE');

function toRpc(code: StatusCode, error: VersionsError | StorageError, message = error.message): RpcError {
  const { resource, ...metadata } = error.facts;
  const retry = error.reason === 'TOO_MANY_UPLOADS' || error.reason === 'UPLOAD_BUSY' || code === 'UNAVAILABLE';
  return new RpcError(code, message, {
    reason: error.reason,
    metadata,
    ...(resource !== undefined && { resource: { type: resourceType(resource), name: resource } }),
    ...(retry && { retryAfterMs: RETRY_AFTER_MS }),
  }, { cause: error });
}

const TYPES: Readonly<Record<string, string>> = { artifacts: 'Artifact', executions: 'Execution', jobs: 'Job' };

function resourceType(name: string): string {
  if (name.includes('/versions/')) return 'Version';
  return TYPES[name.slice(0, name.indexOf('/'))] ?? '';
}
