import { Client } from 'pg';
import { DatabaseError } from '../database-error';
import { isError } from '../storage-error';

/** Where a PostgreSQL server is. */
export interface PostgresAddress {
  /** The URL as it was given, password and all; for the driver alone. */
  readonly url: string;
  /** The URL without its password, for people. */
  readonly shown: string;
}

/**
 * Checks a database URL.
 *
 * @throws DatabaseError ACCESS_DENIED for what is no postgres:// URL; it is shown without its password, and not at all where it may be one
 */
export function postgresAddress(url: string): PostgresAddress {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new DatabaseError('ACCESS_DENIED', 'the database URL does not begin with postgres://: give one like postgres://user:password@host:5432/database');
  }
  const shown = url
    .replace(/^(\w+:\/\/[^:@/?]*):.*@/, '$1:***@')
    .replace(/([?&](?:password|sslpassword)=)[^&]*/g, '$1***');
  try {
    new Client({ connectionString: url }); // Reads the URL and connects to nothing.
  } catch (e) {
    throw new DatabaseError('ACCESS_DENIED', `the database URL ${shown} cannot be read: ${isError(e) ? e.message : String(e)}. Give one like postgres://user:password@host:5432/database`);
  }
  return { url, shown };
}
