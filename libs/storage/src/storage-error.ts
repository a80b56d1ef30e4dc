import { types } from 'node:util';

/** Why storage could not do what was asked, for programs. */
export type StorageErrorReason =
  /** The data folder was written by a program with a newer schema. */
  | 'OTHER_VERSION'
  /** The data folder belongs to another service. */
  | 'OTHER_SERVICE'
  /** Another process has the data folder. */
  | 'FOLDER_LOCKED'
  | 'DISK_FULL'
  /** What is stored is not what was stored. */
  | 'DATA_LOSS'
  | 'BLOB_NOT_FOUND'
  | 'BLOB_TOO_LARGE'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'OFFSET_MISMATCH'
  | 'RANGE_BEYOND_END'
  /** Somebody else writes this upload now. */
  | 'UPLOAD_BUSY'
  | 'TOO_MANY_UPLOADS'
  /** The file system or the database failed in another way. */
  | 'IO';

/** A failure of storage; the message says what, where, and what to do. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly reason: StorageErrorReason,
    message: string,
    /** Facts that belong to the reason: sha256, path, committedBytes, limitBytes, pid, ... */
    readonly facts: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Errors of Node and of native modules may come from another realm than ours, where `instanceof` is false. */
export const isError = (value: unknown): value is Error => types.isNativeError(value);

/** The code of an error of Node's file system (`ENOSPC`), or undefined. */
export function fileErrorCode(caught: unknown): string | undefined {
  return isError(caught) && 'code' in caught && typeof caught.code === 'string' ? caught.code : undefined;
}

/** Gives a failure of the file system its reason. @param what the act in words: `write blob ab12` */
export function fileFailure(caught: unknown, what: string, path: string): StorageError {
  if (caught instanceof StorageError) return caught;
  const code = fileErrorCode(caught);
  const options = { cause: caught };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageError('DISK_FULL', `could not ${what}: the disk that holds ${path} is full. Nothing of it was kept; free some space and try again`, { path }, options);
  }
  return new StorageError('IO', `could not ${what} at ${path}: ${isError(caught) ? caught.message : String(caught)}`, { path, ...(code !== undefined && { code }) }, options);
}
