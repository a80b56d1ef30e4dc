import { timingSafeEqual } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import { TrainJobSpecSchema, type TrainJob, type TrainJobSpec } from '@lockstep/contract';
import { CoordinatorError } from './coordinator-error';
import type { JobRecord } from './job-record';

/** The job that a request has made before. @throws CoordinatorError REQUEST_ID_REUSED when it was made from another spec */
export function sameRequest(earlier: JobRecord, spec: TrainJobSpec, requestId: string): TrainJob {
  const bytes = (s: TrainJobSpec | undefined): Uint8Array => (s ? toBinary(TrainJobSpecSchema, s) : new Uint8Array());
  if (sameBytes(bytes(earlier.job.spec), bytes(spec))) return earlier.job;
  throw new CoordinatorError('REQUEST_ID_REUSED', `request_id "${requestId}" made ${earlier.job.name} from another spec: use a new id for a new job`, { resource: earlier.job.name });
}

/** Compares secrets too: it takes as long whatever differs. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
