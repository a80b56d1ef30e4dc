import { RpcError, type RpcErrorDetails, type StatusCode } from '@lockstep/rpc';
import { isOutage } from '@lockstep/storage';
import { CoordinatorError, type CoordinatorErrorReason } from './coordinator-error';
import { isOutOfDescriptors } from './out-of-descriptors';

const CODES: Record<CoordinatorErrorReason, StatusCode> = {
  INVALID_SPEC: 'INVALID_ARGUMENT',
  INVALID_NAME: 'INVALID_ARGUMENT',
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  NO_SUCH_JOB: 'NOT_FOUND',
  REQUEST_ID_REUSED: 'ALREADY_EXISTS',
  WORKER_NAME_TAKEN: 'ALREADY_EXISTS',
  VERSION_MISMATCH: 'FAILED_PRECONDITION',
  BAD_TOKEN: 'UNAUTHENTICATED',
  PROTOCOL: 'INVALID_ARGUMENT',
  SILENT: 'DEADLINE_EXCEEDED',
  FENCED: 'FAILED_PRECONDITION',
};

/** When it is worth trying again what time heals. */
const RETRY_AFTER_MS = 1000;

/** The one place where the coordinator's refusals, and what its machine lacks, become gRPC's. */
export function mapCoordinatorError(caught: unknown): RpcError | undefined {
  if (isOutage(caught)) {
    return new RpcError('UNAVAILABLE', `the coordinator cannot use its database now: ${caught.message}. What it has acknowledged is kept; try again`,
      { reason: 'DATABASE_UNAVAILABLE', retryAfterMs: RETRY_AFTER_MS }, { cause: caught });
  }
  if (isOutOfDescriptors(caught)) {
    return new RpcError('RESOURCE_EXHAUSTED', `the coordinator has no file descriptors left: raise the limit of its process (ulimit -n), or try again when fewer use it`,
      { reason: 'NO_FILE_DESCRIPTORS', retryAfterMs: RETRY_AFTER_MS }, { cause: caught });
  }
  if (!(caught instanceof CoordinatorError)) return undefined;
  const { violations, resource } = caught.details;
  const details: RpcErrorDetails = {
    reason: caught.reason,
    ...(violations && { fieldViolations: violations }),
    ...(resource !== undefined && { resource: { type: resource.split('/', 1)[0] ?? '', name: resource } }),
  };
  return new RpcError(CODES[caught.reason], caught.message, details, { cause: caught });
}
