import { sql } from 'kysely';
import type { Database } from '../database';
import { eventLogMigration } from '../event-log';
import { leaseMigration } from '../lease';
import type { Migration } from '../migration';
import { rejection } from './rejection';

/** Tables of the contract's own schema. */
export interface ContractSchema {
  entry: { name: string; number: number };
}

/** The schema that the contract runs on. */
export const contractMigrations: readonly Migration[] = [{
  name: 'entries',
  up: async (transaction) => {
    await sql`create table entry (name text not null, number integer not null primary key)`.execute(transaction);
  },
}];

/** The same with the event log and leases, for programs and tests that share one database. */
export const sharedMigrations: readonly Migration[] = [...contractMigrations, eventLogMigration, leaseMigration];

/** A database that can be closed and opened again with what it holds. */
export interface DatabaseFixture {
  open(): Promise<Database<ContractSchema>>;
}

/** What every database must do; runs as tests of the file that calls it. */
export function databaseContract(kind: string, make: () => DatabaseFixture | Promise<DatabaseFixture>): void {
  describe(`${kind} as a database`, () => {
    let fixture: DatabaseFixture;
    let database: Database<ContractSchema>;
    beforeEach(async () => {
      fixture = await make();
      database = await fixture.open();
    });
    afterEach(() => database.close());
    const names = async (): Promise<readonly string[]> => (await database.query.selectFrom('entry').select('name').orderBy('number').execute()).map((r) => r.name);
    const add = (name: string): Promise<number> => database.transaction(async ({ query }) => {
      const { last } = await query.selectFrom('entry').select((e) => e.fn.max('number').as('last')).executeTakeFirstOrThrow();
      await Promise.resolve(); // Lets others run between reading and writing.
      const number = Number(last ?? 0) + 1;
      await query.insertInto('entry').values({ name, number }).execute();
      return number;
    });

    test('what a transaction wrote is there after it, and after opening again', async () => {
      await add('a');
      expect(await names()).toEqual(['a']);
      await database.close();
      database = await fixture.open();
      expect(await names()).toEqual(['a']);
    });

    test('a transaction that throws leaves nothing', async () => {
      const error = await rejection(database.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'x', number: 1 }).execute();
        throw new Error('on purpose');
      }));
      expect(error.message).toBe('on purpose');
      expect(await names()).toEqual([]);
    });

    test('transactions that run at once number without gaps or repeats', async () => {
      const numbers = await Promise.all(Array.from({ length: 20 }, (_, i) => add(String(i))));
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    test('actions after a commit run once it is visible, and never after a rollback', async () => {
      const seen: string[] = [];
      await database.transaction(async ({ query, afterCommit }) => {
        afterCommit(() => seen.push('committed'));
        await query.insertInto('entry').values({ name: 'a', number: 1 }).execute();
        expect(seen).toEqual([]);
      });
      await rejection(database.transaction(({ afterCommit }) => {
        afterCommit(() => seen.push('rolled back'));
        return Promise.reject(new Error('on purpose'));
      }));
      expect(seen).toEqual(['committed']);
    });

    test('a broken constraint leaves the transaction\'s other writes out too, and the database usable', async () => {
      await add('a');
      await rejection(database.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'b', number: 2 }).execute();
        await query.insertInto('entry').values({ name: 'c', number: 1 }).execute();
      }));
      expect(await names()).toEqual(['a']);
      expect(await add('d')).toBe(2);
    });
  });
}
