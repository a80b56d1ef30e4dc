import { RpcError, type RpcErrorDetails, type StatusCode } from '@lockstep/rpc';
import { CoordinatorError, type CoordinatorErrorReason } from './coordinator-error';

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
  FENCED: 'FAILED_PRECONDITION',
};

/** The one place where the coordinator's refusals become gRPC's. */
export function mapCoordinatorError(caught: unknown): RpcError | undefined {
  if (!(caught instanceof CoordinatorError)) return undefined;
  const { violations, resource } = caught.details;
  const details: RpcErrorDetails = {
    reason: caught.reason,
    ...(violations && { fieldViolations: violations }),
    ...(resource !== undefined && { resource: { type: resource.split('/', 1)[0] ?? '', name: resource } }),
  };
  return new RpcError(CODES[caught.reason], caught.message, details, { cause: caught });
}
