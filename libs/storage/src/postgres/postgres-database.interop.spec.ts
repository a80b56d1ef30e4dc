import { sql } from 'kysely';
import { openPostgres, type Database, type Migration, type PostgresDatabaseOptions } from '../index';
import {
  contractMigrations, databaseContract, describeWithPostgres, eventLogContract, leaseContract, rejection, sharedMigrations, startPostgres, type ContractSchema, type PostgresServer,
} from '../testing';

describeWithPostgres('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => { server = await startPostgres(); });
  afterAll(() => server.stop());
  const open = (url: string, change: Partial<PostgresDatabaseOptions> = {}) =>
    openPostgres<ContractSchema>({ url, service: 'test', programVersion: '1.0.0', migrations: sharedMigrations, ...change });
  const using = async <T>(url: string, change: Partial<PostgresDatabaseOptions>, work: (d: Database<ContractSchema>) => Promise<T>): Promise<T> => {
    const database = await open(url, change);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  };
  const add = (database: Database<ContractSchema>, number: number): Promise<unknown> =>
    database.transaction(({ query }) => query.insertInto('entry').values({ name: 'x', number }).execute());
  const numbers = async (database: Database<ContractSchema>): Promise<readonly number[]> =>
    (await database.query.selectFrom('entry').select('number').orderBy('number').execute()).map((r) => r.number);

  databaseContract('PostgreSQL', async () => {
    const url = await server.createDatabase();
    return { open: () => open(url) };
  });

  eventLogContract('PostgreSQL', async () => {
    const database = await open(await server.createDatabase());
    return { database, close: () => database.close() };
  });

  leaseContract('PostgreSQL', async () => {
    const url = await server.createDatabase();
    return { open: () => open(url) };
  });

  describe('opening', () => {
    const tables = (d: Database<ContractSchema>) => sql<{ name: string }>`select tablename as name from pg_tables where schemaname = current_schema() order by 1`.execute(d.query).then((r) => r.rows.map((t) => t.name));
    const second: Migration = { name: 'second', up: async (t) => void (await sql`alter table entry add column note text`.execute(t)) };
    const broken: Migration = { name: 'broken', up: async (t) => {
      await sql`create table half (x integer)`.execute(t);
      await sql`this is not sql`.execute(t);
    } };
    const migrations = contractMigrations;

    test('brings an older database to the newest schema with what it holds, once, whoever opens it at once', async () => {
      const url = await server.createDatabase();
      await using(url, { migrations }, (d) => add(d, 1));
      const seen = await Promise.all(Array.from({ length: 4 }, () => using(url, { migrations: [...migrations, second] }, (d) => sql`select name, note from entry`.execute(d.query))));
      expect(seen.map((s) => s.rows)).toEqual(Array(4).fill([{ name: 'x', note: null }]));
    });

    test('refuses a newer database with both versions, and another service\'s', async () => {
      const url = await server.createDatabase();
      await using(url, { migrations: [...migrations, second], programVersion: '2.0.0' }, tables);
      expect(await rejection(open(url, { migrations }))).toMatchObject({ reason: 'OTHER_VERSION', facts: { found: '2', supported: '1' }, message: expect.stringMatching(/2\.0\.0.*1\.0\.0/) });
      expect(await rejection(open(url, { service: 'coordinator' }))).toMatchObject({ reason: 'OTHER_SERVICE', message: expect.stringMatching(/test service.*coordinator/) });
    });

    test('a migration that fails leaves the version before it, whole', async () => {
      const url = await server.createDatabase();
      await rejection(open(url, { migrations: [...migrations, broken] }));
      expect(await using(url, { migrations }, tables)).toEqual(['entry', 'lockstep_folder']);
    });

    test('services that have a schema each share a database, and do not wait for one another', async () => {
      const url = await server.createDatabase();
      await using(url, {}, async (d) => {
        for (const name of ['one', 'two']) await sql`create schema ${sql.id(name)}`.execute(d.query);
      });
      const [one, two] = await Promise.all(['one', 'two'].map((name) => open(`${url}?options=${encodeURIComponent(`-c search_path=${name}`)}`, { service: name })));
      if (!one || !two) throw new Error('not opened');
      await one.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'one', number: 1 }).execute();
        await add(two, 1); // Inside the other's transaction.
      });
      expect([await numbers(one), await numbers(two)]).toEqual([[1], [1]]);
      await Promise.all([one.close(), two.close()]);
    });

    test.each<[string, (url: string) => string, string, RegExp]>([
      ['no server', (url) => url.replace(/:\d+\//, ':1/'), 'UNREACHABLE', /127\.0\.0\.1:1\/.*ECONNREFUSED.*start the server/],
      ['a wrong password', (url) => url.replace(/:\w+@/, ':wrong-word@'), 'ACCESS_DENIED', /password authentication failed.*Correct/],
      ['no such user', (url) => url.replace(/\/\/\w+:/, '//nobody:'), 'ACCESS_DENIED', /nobody:\*\*\*@.*Correct/],
      ['no such database', (url) => url.replace(/\w+$/, 'nowhere'), 'ACCESS_DENIED', /"nowhere" does not exist.*create/],
    ])('%s says where, why and what to do, without the password', async (_what, change, failure, message) => {
      const url = change(server.url);
      const error = await rejection(open(url, { connectTimeoutMs: 300 }));
      expect(error).toMatchObject({ failure, reason: 'IO', message: expect.stringMatching(message) });
      expect(`${error.message}${JSON.stringify(error)}`).not.toContain(new URL(url).password);
    });

    test('a server that would lose what it acknowledged is refused', async () => {
      const admin = await open(server.url);
      const set = async (value: 'on' | 'off') => {
        await sql`alter system set fsync = ${sql.lit(value)}`.execute(admin.query);
        await sql`select pg_reload_conf()`.execute(admin.query);
        for (;;) {
          const { rows: [row] } = await sql<{ fsync: string }>`select current_setting('fsync') as fsync, pg_sleep(0.01)`.execute(admin.query);
          if (row?.fsync === value) return;
        }
      };
      try {
        await set('off');
        expect(await rejection(open(server.url))).toMatchObject({ failure: 'ACCESS_DENIED', message: expect.stringContaining('fsync = on') });
      } finally {
        await set('on');
        await admin.close();
      }
    });

    test('commits are durable even where the server\'s default is not to wait for that', async () => {
      const url = await server.createDatabase();
      const setting = (d: Database<ContractSchema>) => d.transaction(async ({ query }) => (await sql<{ value: string }>`select current_setting('synchronous_commit') as value`.execute(query)).rows[0]?.value);
      await using(url, {}, (d) => sql`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`.execute(d.query));
      expect(await using(url, {}, setting)).toBe('on');
    });
  });

  describe('a transaction', () => {
    let url: string;
    let database: Database<ContractSchema>;
    beforeEach(async () => {
      url = await server.createDatabase();
      database = await open(url);
    });
    afterEach(() => database.close());

    test('that loses its connection is rolled back, says so, and the next one works', async () => {
      const error = await rejection(database.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'x', number: 1 }).execute();
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(query);
      }));
      expect(error).toMatchObject({ failure: 'CONNECTION_LOST', message: expect.stringMatching(/rolled back whole/) });
      await add(database, 2);
      expect(await numbers(database)).toEqual([2]);
    });

    test('that loses its connection while it commits says that nobody knows', async () => {
      await sql`create function hang_up() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`.execute(database.query);
      await sql`create constraint trigger hang_up after insert on entry deferrable initially deferred for each row execute function hang_up()`.execute(database.query);
      const done: string[] = [];
      const error = await rejection(database.transaction(async ({ query, afterCommit }) => {
        afterCommit(() => done.push('committed'));
        await query.insertInto('entry').values({ name: 'x', number: 1 }).execute();
      }));
      expect(error).toMatchObject({ failure: 'OUTCOME_UNKNOWN', message: expect.stringMatching(/may have been written or not/) });
      expect(done).toEqual([]);
      await sql`drop trigger hang_up on entry`.execute(database.query);
      await add(database, 2);
    });

    test('whose program went on after a failed statement is not acknowledged', async () => {
      await add(database, 1);
      const error = await rejection(database.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'x', number: 2 }).execute();
        await rejection(query.insertInto('entry').values({ name: 'x', number: 1 }).execute());
      }));
      expect(error.message).toContain('rolled back whole: one of its statements had failed');
      expect(await numbers(database)).toEqual([1]);
    });

    test('that meets a full disk is rolled back whole and says so', async () => {
      const error = await rejection(database.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'x', number: 1 }).execute();
        await sql`do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`.execute(query); // As the server reports it.
      }));
      expect(error).toMatchObject({ reason: 'DISK_FULL', message: expect.stringMatching(/rolled back whole.*free some space/) });
      expect(await numbers(database)).toEqual([]);
    });

    test('whose program says nothing is ended by the server, and those that wait for it go on', async () => {
      const slow = await open(url, { transactionIdleTimeoutMs: 200 });
      let wake: () => void = () => undefined;
      const asleep = new Promise<void>((resolve) => { wake = resolve; });
      let inside: () => void = () => undefined;
      const isInside = new Promise<void>((resolve) => { inside = resolve; });
      const sleeper = rejection(slow.transaction(async ({ query }) => {
        await query.insertInto('entry').values({ name: 'x', number: 1 }).execute();
        inside();
        await asleep;
        await query.insertInto('entry').values({ name: 'x', number: 3 }).execute();
      }));
      await isInside;
      await add(database, 2); // Returns only because the sleeper lost its place.
      wake();
      expect(await sleeper).toMatchObject({ failure: 'CONNECTION_LOST', message: expect.stringMatching(/idle-in-transaction.*rolled back whole/) });
      await add(slow, 4);
      expect(await numbers(database)).toEqual([2, 4]);
      await slow.close();
    });

    test('that follows the end of all idle connections works', async () => {
      await Promise.all(Array.from({ length: 8 }, () => sql`select pg_sleep(0.05)`.execute(database.query)));
      const other = await open(url);
      const ended = await sql<{ count: number }>`select count(pg_terminate_backend(pid)) as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(other.query);
      expect(ended.rows[0]?.count).toBeGreaterThanOrEqual(8);
      await add(database, 1);
      expect(await numbers(database)).toEqual([1]);
      await other.close();
    });
  });

  test('a database that is closed at any moment while it begins to listen is closed', async () => {
    const url = await server.createDatabase();
    for (let turns = 0; turns < 12; turns++) {
      const database = await open(url);
      const stop = new AbortController();
      const listener = database.notifications.listen('topic', stop.signal);
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      stop.abort();
      listener.stop();
      await database.close();
    }
  });

  test('connections are bounded however many ask', async () => {
    const url = await server.createDatabase();
    await using(url, {}, async (database) => {
      const counts = await Promise.all(Array.from({ length: 60 }, async () => {
        const { rows } = await sql<{ count: number }>`select count(*) as count, pg_sleep(0.02) from pg_stat_activity where datname = current_database()`.execute(database.query);
        return rows[0]?.count ?? 0;
      }));
      expect(Math.max(...counts)).toBeLessThanOrEqual(8);
    });
  });
});
