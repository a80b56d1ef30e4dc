import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { eventLogMigration, leaseMigration, openDatabase, type Database, type DatabaseOptions, type Migration } from './index';
import { contractMigrations, databaseContract, eventLogContract, leaseContract, rejection, removeTemporaryFolders, temporaryFolder, type ContractSchema } from './testing';

removeTemporaryFolders();
const options = (folder: string, change: Partial<DatabaseOptions> = {}): DatabaseOptions => ({ folder, service: 'test', programVersion: '1.0.0', migrations: contractMigrations, ...change });

databaseContract('SQLite', () => {
  const folder = temporaryFolder();
  return { open: () => openDatabase<ContractSchema>(options(folder)) };
});

eventLogContract('SQLite', async () => {
  const database = await openDatabase<ContractSchema>(options(temporaryFolder(), { migrations: [...contractMigrations, eventLogMigration] }));
  return { database, close: () => database.close() };
});

leaseContract('SQLite', () => {
  const folder = temporaryFolder();
  return { open: () => openDatabase<ContractSchema>(options(folder, { migrations: [...contractMigrations, leaseMigration] })) };
});

test('the lease of a process that is gone is free for the next that has its folder', async () => {
  const folder = temporaryFolder();
  const change = { migrations: [...contractMigrations, leaseMigration] };
  const first = await using(folder, change, (d) => d.leases.acquire('leader', 'a', 600_000));
  const second = await using(folder, change, (d) => d.leases.acquire('leader', 'b', 600_000));
  expect([first, second]).toMatchObject([{ kind: 'ACQUIRED', lease: { epoch: 1 } }, { kind: 'ACQUIRED', lease: { epoch: 2 } }]);
});

const second: Migration = { name: 'second', up: async (t) => void (await sql`alter table entry add column note text`.execute(t)) };
const broken: Migration = { name: 'broken', up: async (t) => {
  await sql`create table half (x integer)`.execute(t);
  await sql`this is not sql`.execute(t);
} };
const using = async <T>(folder: string, change: Partial<DatabaseOptions>, work: (d: Database<ContractSchema>) => Promise<T>): Promise<T> => {
  const database = await openDatabase<ContractSchema>(options(folder, change));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
};
const tables = (d: Database<ContractSchema>) => sql<{ name: string }>`select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name`.execute(d.query).then((r) => r.rows.map((t) => t.name));

test('an older folder is brought to the newest schema with what it holds', async () => {
  const folder = temporaryFolder();
  await using(folder, {}, (d) => d.query.insertInto('entry').values({ name: 'old', number: 1 }).execute());
  const rows = await using(folder, { migrations: [...contractMigrations, second] }, (d) => sql`select name, note from entry`.execute(d.query));
  expect(rows.rows).toEqual([{ name: 'old', note: null }]);
});

test('a newer folder is refused with both versions and what to do, and is left as it is', async () => {
  const folder = temporaryFolder();
  await using(folder, { migrations: [...contractMigrations, second], programVersion: '2.0.0' }, tables);
  const error = await rejection(using(folder, {}, tables));
  expect(error).toMatchObject({ reason: 'OTHER_VERSION', facts: { found: '2', supported: '1' } });
  expect(error.message).toContain(folder);
  expect(error.message).toContain('2.0.0');
  expect(error.message).toContain('1.0.0');
  expect(error.message).toContain('--data');
  expect(await using(folder, { migrations: [...contractMigrations, second] }, tables)).toEqual(['entry', 'lockstep_folder']);
});

test('another service\'s folder is refused', async () => {
  const folder = temporaryFolder();
  await using(folder, {}, tables);
  expect(await rejection(using(folder, { service: 'coordinator' }, tables))).toMatchObject({ reason: 'OTHER_SERVICE', message: expect.stringMatching(/test service.*coordinator/) });
});

test('a migration that fails leaves the version before it, whole', async () => {
  const folder = temporaryFolder();
  await using(folder, {}, tables);
  await rejection(using(folder, { migrations: [...contractMigrations, broken] }, tables));
  expect(await using(folder, {}, tables)).toEqual(['entry', 'lockstep_folder']);
});

test('a file that is no database is DATA_LOSS, by name', async () => {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'database.sqlite'), 'x'.repeat(8192));
  expect(await rejection(using(folder, {}, tables))).toMatchObject({ reason: 'DATA_LOSS', message: expect.stringContaining(folder) });
});

test('a second opener in this process is refused by pid; closing lets the next one in', async () => {
  const folder = temporaryFolder();
  await using(folder, {}, async () => {
    expect(await rejection(using(folder, {}, tables))).toMatchObject({ reason: 'FOLDER_LOCKED', facts: { pid: String(process.pid) } });
  });
  expect(await using(folder, {}, tables)).toContain('entry');
});

test('a folder that cannot be made is named', async () => {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, '');
  expect(await rejection(using(path.join(file, 'below'), {}, tables))).toMatchObject({ reason: 'IO', message: expect.stringContaining(file) });
});

test('a full disk rolls the transaction back whole, says so, and writing goes on when there is space', async () => {
  const folder = temporaryFolder();
  await using(folder, {}, async (d) => {
    const fill = (count: number) => d.transaction(async ({ query }) => {
      for (let number = 1; number <= count; number++) await query.insertInto('entry').values({ name: 'x'.repeat(4000), number }).execute();
    });
    await sql`pragma max_page_count = 20`.execute(d.query);
    expect(await rejection(fill(100))).toMatchObject({ reason: 'DISK_FULL', message: expect.stringContaining(folder) });
    expect(await d.query.selectFrom('entry').selectAll().execute()).toEqual([]);
    await sql`pragma max_page_count = 1000000`.execute(d.query);
    await fill(100);
    expect(await d.query.selectFrom('entry').select('number').execute()).toHaveLength(100);
  });
});

/** Starts the other process of a test and collects what it says. */
function otherProcess(folder: string): { readonly child: ChildProcess; readonly next: () => Promise<number>; readonly exited: Promise<void> } {
  const child = fork(path.join(__dirname, '..', 'dist', 'testing', 'database-process.js'), [folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const next = (): Promise<number> => Promise.race([
    new Promise<number>((resolve) => child.once('message', (m) => resolve(Number(m)))),
    exited.then(() => { throw new Error('the other process ended'); }),
  ]);
  return { child, next, exited };
}

test('kill -9 loses no acknowledged transaction and leaves no lock', async () => {
  const folder = temporaryFolder();
  const { child, next, exited } = otherProcess(folder);
  let acknowledged = 0;
  while (acknowledged < 50) acknowledged = await next();
  expect(await rejection(using(folder, {}, tables))).toMatchObject({ reason: 'FOLDER_LOCKED', facts: { pid: String(child.pid) } });
  child.on('message', (m) => { acknowledged = Number(m); });
  child.kill('SIGKILL');
  await exited;
  const count = await using(folder, {}, (d) => d.query.selectFrom('entry').select('number').execute().then((rows) => rows.length));
  expect(count).toBeGreaterThanOrEqual(acknowledged);
});
