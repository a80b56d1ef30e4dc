import path from 'node:path';
import { openDatabase, type Database } from './index';
import { contractMigrations, lockDatabase, rejection, removeTemporaryFolders, temporaryFolder, type ContractSchema, type DatabaseLock } from './testing';

removeTemporaryFolders();

const open = (folder: string): Promise<Database<ContractSchema>> => openDatabase<ContractSchema>({ folder, service: 'test', programVersion: '1.0.0', migrations: contractMigrations });
const fileIn = (folder: string): string => path.join(folder, 'database.sqlite');

describe('a database that another program has locked', () => {
  let folder: string;
  let database: Database<ContractSchema>;
  let lock: DatabaseLock;
  beforeEach(async () => {
    folder = temporaryFolder();
    database = await open(folder);
    lock = await lockDatabase(fileIn(folder));
  });
  afterEach(() => database.close());

  const insert = (number: number): Promise<unknown> => database.transaction(({ query }) => query.insertInto('entry').values({ name: 'x', number }).execute());
  const numbers = async (): Promise<readonly number[]> => (await database.query.selectFrom('entry').select('number').orderBy('number').execute()).map((row) => row.number);

  test('reading goes on while a transaction waits for it', async () => {
    const write = insert(1);
    expect(await numbers()).toEqual([]);
    await lock.release();
    await write;
    expect(await numbers()).toEqual([1]);
  });

  test('writing waits for it to let go, and the process goes on meanwhile', async () => {
    let written = 0;
    const writes = [insert(1), insert(2), database.query.insertInto('entry').values({ name: 'y', number: 3 }).execute()].map((write) => write.then(() => written++));
    // Turns of the event loop go on while they wait.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(0);
    await lock.release();
    await Promise.all(writes);
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  test('when it does not let go, all who wait are told together who has it, and nothing is written; later writing goes on', async () => {
    const errors = await Promise.all(Array.from({ length: 60 }, (_, i) => rejection(insert(i))));
    for (const error of errors) expect(error).toMatchObject({ reason: 'IO', failure: 'TIMED_OUT', facts: { path: fileIn(folder) } });
    const [first] = errors;
    expect(first?.message).toContain(`${fileIn(folder)} is locked by ${process.platform === 'linux' ? `process ${lock.pid} (` : 'another program'}`);
    expect(first?.message).toContain('Nothing was done');
    expect(await numbers()).toEqual([]);
    await lock.release();
    await insert(7);
    expect(await numbers()).toEqual([7]);
  });
});

test('opening waits for a program that lets nobody read', async () => {
  const folder = temporaryFolder();
  const lock = await lockDatabase(fileIn(folder));
  const opening = open(folder);
  await new Promise((resolve) => setImmediate(resolve));
  await lock.release();
  await (await opening).close();
});

test('a database that stays locked is not opened, and leaves no lock on its folder', async () => {
  const folder = temporaryFolder();
  const lock = await lockDatabase(fileIn(folder));
  expect(await rejection(open(folder))).toMatchObject({ failure: 'TIMED_OUT', message: expect.stringContaining(fileIn(folder)) });
  await lock.release();
  await (await open(folder)).close();
});
