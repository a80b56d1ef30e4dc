import { StorageError } from './storage-error';

/** What a database can fail with that others have a part in: its server, the way to it, another program that has the file. For programs. */
export type DatabaseFailure =
  /** There was no connection before the deadline: nothing was done. */
  | 'UNREACHABLE'
  /** The server refuses this user, password or database, or cannot keep what it acknowledges: waiting does not help. */
  | 'ACCESS_DENIED'
  /** The connection ended in the middle of a transaction, which the server rolls back. */
  | 'CONNECTION_LOST'
  /** The connection ended while the transaction was committed: it may be there, or not. */
  | 'OUTCOME_UNKNOWN'
  /** A wait for another transaction or program, a connection or an answer passed its deadline; the transaction is rolled back. */
  | 'TIMED_OUT'
  /** So many wait already that this one was not let in: nothing was done. */
  | 'OVERLOADED'
  /** The lease that the transaction was to be fenced by is somebody else's now: nothing was written. */
  | 'LEASE_LOST';

/** A failure that passes, or that is no fault of the data: of the way to a database, of who else uses it, or of its leases. `reason` is IO, `failure` says more. */
export class DatabaseError extends StorageError {
  constructor(readonly failure: DatabaseFailure, message: string, facts: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    super('IO', message, { failure, ...facts }, options);
  }
}

/** Whether a failed read is worth repeating: the database was away or busy. */
export function isOutage(caught: unknown): caught is DatabaseError {
  if (!(caught instanceof DatabaseError)) return false;
  switch (caught.failure) {
    case 'UNREACHABLE':
    case 'CONNECTION_LOST':
    case 'TIMED_OUT':
    case 'OVERLOADED': return true;
    case 'OUTCOME_UNKNOWN':
    case 'ACCESS_DENIED':
    case 'LEASE_LOST': return false;
  }
}
