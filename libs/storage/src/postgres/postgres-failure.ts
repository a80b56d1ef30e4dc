/**
 * Failures of a PostgreSQL server and of the way to it, with a reason.
 *
 * 1. A report of the server with severity ERROR ends the transaction and not the connection: it is rolled back.
 * 2. Anything else ends the connection. The server rolls the transaction back, unless it was told to commit: then the outcome is unknown.
 */
import { DatabaseError } from '../database-error';
import { isError, StorageError } from '../storage-error';

/** What was being done when it failed. */
export type PostgresAct = 'CONNECT' | 'STATEMENT' | 'COMMIT';

/** What the server says about a failure (postgresql.org/docs/current/errcodes-appendix.html). */
interface ServerReport {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

const DISK_FULL = '53100';
const DATA_CORRUPTED = 'XX001';
const INDEX_CORRUPTED = 'XX002';
const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
/** The server rolled back because the program said nothing for too long: no commit had reached it. */
const IDLE_IN_TRANSACTION = '25P03';
const NO_SUCH_DATABASE = '3D000';
const INSUFFICIENT_PRIVILEGE = '42501';
/** Class of the codes for a wrong user or password. */
const AUTHORIZATION = '28';

function serverReport(caught: unknown): ServerReport | undefined {
  if (!isError(caught) || !('severity' in caught) || !('code' in caught)) return undefined;
  const { severity, code, message } = caught;
  return typeof severity === 'string' && typeof code === 'string' ? { severity, code, message } : undefined;
}

/** Whether the connection can be used again after this failure. */
export const endsConnection = (caught: unknown): boolean => serverReport(caught)?.severity !== 'ERROR';

/** Gives a failure its reason. @param server without password, for people */
export function postgresFailure(caught: unknown, server: string, act: PostgresAct): StorageError {
  if (caught instanceof StorageError) return caught;
  const report = serverReport(caught);
  const detail = isError(caught) ? messageOf(caught) : String(caught);
  const facts = { server, ...(report && { code: report.code }) };
  const options = { cause: caught };
  if (act === 'CONNECT') {
    return report !== undefined && waitingIsVain(report)
      ? new DatabaseError('ACCESS_DENIED', `${server} refuses the connection: ${detail}. Correct the user, password or database in the URL, or create them on the server`, facts, options)
      : new DatabaseError('UNREACHABLE', `no connection to ${server}: ${detail}. Nothing was done; start the server, or correct the host and port in the URL`, facts, options);
  }
  if (endsConnection(caught)) {
    return act === 'COMMIT' && report?.code !== IDLE_IN_TRANSACTION
      ? new DatabaseError('OUTCOME_UNKNOWN', `the connection to ${server} ended while a transaction was committed: ${detail}. It may have been written or not: read it, or repeat it where that is idempotent`, facts, options)
      : new DatabaseError('CONNECTION_LOST', `the connection to ${server} ended in the middle of a transaction: ${detail}. It was rolled back whole; try again`, facts, options);
  }
  switch (report?.code ?? '') {
    case DISK_FULL:
      return new StorageError('DISK_FULL', `could not write the database ${server}: its disk is full. The change was rolled back whole; free some space on the server and try again`, facts, options);
    case DATA_CORRUPTED:
    case INDEX_CORRUPTED:
      return new StorageError('DATA_LOSS', `the database ${server} is damaged: ${detail}. Restore it from a backup`, facts, options);
    case LOCK_NOT_AVAILABLE:
      return new DatabaseError('TIMED_OUT', `waited too long for a transaction of another process on ${server}: ${detail}. Nothing was written; look at pg_stat_activity for who holds it`, facts, options);
    case QUERY_CANCELED:
      return new DatabaseError('TIMED_OUT', `a statement took too long on ${server}: ${detail}. Its transaction was rolled back whole`, facts, options);
    default:
      return new StorageError('IO', `the database ${server} failed: ${detail}`, facts, options);
  }
}

/** A refused connection to a host with several addresses has its message in its parts. */
const messageOf = (error: Error): string => (error instanceof AggregateError && error.message === '' ? error.errors.map(String).join(', ') : error.message);

const waitingIsVain = ({ code }: ServerReport): boolean => code.startsWith(AUTHORIZATION) || code === NO_SUCH_DATABASE || code === INSUFFICIENT_PRIVILEGE;
