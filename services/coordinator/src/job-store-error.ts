/** What a job store refuses, for programs. */
export type JobStoreErrorReason = 'NO_SUCH_JOB' | 'CALL_DIVERGED' | 'CHECKPOINT_DIVERGED';

/** A change that contradicts what is stored: nothing of it was stored. */
export class JobStoreError extends Error {
  override readonly name = 'JobStoreError';
  constructor(readonly reason: JobStoreErrorReason, message: string) {
    super(message);
  }
}

export const noSuchJob = (job: string): JobStoreError => new JobStoreError('NO_SUCH_JOB', `${job} was never stored`);

export const callDiverged = (job: string, number: number, stored: Uint8Array, given: Uint8Array): JobStoreError =>
  new JobStoreError('CALL_DIVERGED', `call ${number} of ${job} finished with other bytes than before: ${shown(stored)} are stored, ${shown(given)} came now. `
    + 'A call that is made again must end the same: look for a source of chance in the module');

export const checkpointDiverged = (job: string, version: string): JobStoreError =>
  new JobStoreError('CHECKPOINT_DIVERGED', `${version} is a checkpoint of ${job} already, of another position or state. A version never changes: this report is of another one`);

const shown = (bytes: Uint8Array): string => `${bytes.length} bytes (${Buffer.from(bytes.subarray(0, 8)).toString('hex')}${bytes.length > 8 ? '...' : ''})`;
