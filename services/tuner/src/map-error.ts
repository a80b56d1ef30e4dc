import { SearchError, TrackingError, type SearchErrorReason, type TrackingErrorReason } from '@lockstep/search';
import { DatabaseError, StorageError, type StorageErrorReason } from '@lockstep/storage';
import { RpcError, type RpcErrorDetails, type StatusCode } from '@lockstep/rpc';
import { SuggestionError } from './suggest/suggestion-threads';
import { TunerError, type TunerErrorReason } from './study/tuner-error';

/** When it is worth trying again after a refusal that time heals. */
const RETRY_AFTER_MS = 500;

/** Faults that one answer names; more do not fit in a trailer. */
const MAX_VIOLATIONS = 25;

const TUNER: Readonly<Record<TunerErrorReason, StatusCode>> = {
  INVALID_ARGUMENT: 'INVALID_ARGUMENT', NO_SUCH_STUDY: 'NOT_FOUND', NO_SUCH_TRIAL: 'NOT_FOUND', STUDY_EXISTS: 'ALREADY_EXISTS',
  REQUEST_ID_REUSED: 'ALREADY_EXISTS', TOO_MANY_CALLS: 'RESOURCE_EXHAUSTED', STUDY_DELETED: 'NOT_FOUND',
};

const TRACKING: Readonly<Record<TrackingErrorReason, StatusCode>> = {
  NOT_PENDING: 'NOT_FOUND', TRIAL_LOST: 'FAILED_PRECONDITION', TRIAL_ENDED: 'ALREADY_EXISTS', MEASUREMENT_DIVERGED: 'ALREADY_EXISTS', TOO_MANY_MEASUREMENTS: 'RESOURCE_EXHAUSTED',
  TOO_MANY_ENQUEUED: 'RESOURCE_EXHAUSTED', MISSING_METRIC: 'INVALID_ARGUMENT', SPACE_UNKNOWN: 'FAILED_PRECONDITION', SHRINKS: 'INVALID_ARGUMENT',
};

const SEARCH: Readonly<Record<SearchErrorReason, StatusCode>> = {
  INVALID_SPACE: 'INVALID_ARGUMENT', INVALID_VALUES: 'INVALID_ARGUMENT', INVALID_SETTINGS: 'INVALID_ARGUMENT', MALFORMED_JSON: 'INVALID_ARGUMENT',
  UNKNOWN_DIRECTION: 'INVALID_ARGUMENT', MISSING_METRIC: 'INVALID_ARGUMENT',
};

/** The one place where the tuner's refusals become gRPC's; undefined for what is none of them. */
export function mapTunerError(caught: unknown): RpcError | undefined {
  if (caught instanceof TunerError) {
    const { violations, resource } = caught.details;
    return new RpcError(TUNER[caught.reason], caught.message, {
      reason: caught.reason, ...(violations && { fieldViolations: shown(violations) }), ...(resource !== undefined && { resource: { type: resourceType(resource), name: resource } }),
      ...(caught.reason === 'TOO_MANY_CALLS' && { retryAfterMs: RETRY_AFTER_MS }),
    }, { cause: caught });
  }
  if (caught instanceof TrackingError) {
    const { trial, field, ...metadata } = caught.facts;
    return new RpcError(TRACKING[caught.reason], caught.message, {
      reason: caught.reason, metadata, ...(field !== undefined && { fieldViolations: [{ field, description: caught.message }] }), ...(trial !== undefined && { resource: { type: resourceType(trial), name: trial } }),
    }, { cause: caught });
  }
  if (caught instanceof SearchError) {
    return new RpcError(SEARCH[caught.reason], `the request is not valid: ${caught.message}`, { reason: caught.reason, fieldViolations: shown(caught.violations) }, { cause: caught });
  }
  if (caught instanceof SuggestionError) return new RpcError('INTERNAL', caught.message, { reason: 'NO_SUGGESTION' }, { cause: caught });
  if (caught instanceof StorageError) return storageError(caught);
  return undefined;
}

function shown(violations: readonly { readonly field: string; readonly description: string }[]): NonNullable<RpcErrorDetails['fieldViolations']> {
  const left = violations.length - MAX_VIOLATIONS;
  return left <= 0 ? violations : [...violations.slice(0, MAX_VIOLATIONS), { field: violations[MAX_VIOLATIONS]?.field ?? '', description: `and ${left} faults that are left out` }];
}

function storageError(caught: StorageError): RpcError {
  const { resource: _, ...metadata } = caught.facts;
  // Nothing was written, or nobody knows: asking again is safe, since all rpcs may be repeated.
  const isPassing = caught instanceof DatabaseError && caught.failure !== 'ACCESS_DENIED';
  return new RpcError(isPassing ? 'UNAVAILABLE' : codeOfStorage(caught.reason), caught.message, { reason: caught instanceof DatabaseError ? caught.failure : caught.reason, metadata, ...(isPassing && { retryAfterMs: RETRY_AFTER_MS }) }, { cause: caught });
}

function codeOfStorage(reason: StorageErrorReason): StatusCode {
  switch (reason) {
    case 'DISK_FULL': return 'RESOURCE_EXHAUSTED';
    case 'DATA_LOSS': return 'DATA_LOSS';
    case 'OTHER_VERSION':
    case 'OTHER_SERVICE':
    case 'FOLDER_LOCKED': return 'FAILED_PRECONDITION';
    case 'IO':
    case 'BLOB_NOT_FOUND':
    case 'BLOB_TOO_LARGE':
    case 'DIGEST_MISMATCH':
    case 'SIZE_MISMATCH':
    case 'OFFSET_MISMATCH':
    case 'RANGE_BEYOND_END':
    case 'UPLOAD_BUSY':
    case 'TOO_MANY_UPLOADS': return 'INTERNAL';
  }
}

const resourceType = (name: string): string => (name.includes('/trials/') ? 'Trial' : 'Study');
