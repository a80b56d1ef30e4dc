import { nodeFileSystem, openDatabase, type Database, type FileSystem } from './index';
import { contractMigrations, failingFileSystem, rejection, removeTemporaryFolders, temporaryFolder, type ContractSchema } from './testing';

removeTemporaryFolders();

const open = (folder: string, fileSystem: FileSystem): Promise<Database<ContractSchema>> =>
  openDatabase<ContractSchema>({ folder, service: 'test', programVersion: '1.0.0', migrations: contractMigrations, fileSystem });
const insert = ({ query }: Pick<Database<ContractSchema>, 'query'>, number: number): Promise<unknown> => query.insertInto('entry').values({ name: 'x', number }).execute();
const numbers = async ({ query }: Pick<Database<ContractSchema>, 'query'>): Promise<readonly number[]> => (await query.selectFrom('entry').select('number').execute()).map((row) => row.number);

/** A disk that takes its time from when it is told. */
function slowDisk(): { readonly files: FileSystem; readonly syncs: (() => void)[]; slow: boolean } {
  const disk: { readonly files: FileSystem; readonly syncs: (() => void)[]; slow: boolean } = {
    syncs: [], slow: false,
    files: {
      ...nodeFileSystem,
      open: async (path, mode) => {
        const file = await nodeFileSystem.open(path, mode);
        return {
          write: (bytes, position) => file.write(bytes, position), read: (position, length) => file.read(position, length), size: () => file.size(), close: () => file.close(),
          sync: async () => {
            if (disk.slow) await new Promise<void>((resolve) => disk.syncs.push(resolve));
            await file.sync();
          },
        };
      },
    },
  };
  return disk;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test.each([
  ['a transaction', (database: Database<ContractSchema>) => database.transaction((transaction) => insert(transaction, 1))],
  ['a statement of its own', (database: Database<ContractSchema>) => insert(database, 1)],
])('%s is answered when the disk has it, and nobody reads it before', async (_what, write) => {
  const disk = slowDisk();
  const database = await open(temporaryFolder(), disk.files);
  disk.slow = true;
  const answered: string[] = [];
  const both = [write(database).then(() => answered.push('written'))];
  await turns(50);
  both.push(numbers(database).then((read) => answered.push(`read ${read.join()}`)));
  await turns(50);
  expect([answered, disk.syncs.length]).toEqual([[], 1]);
  disk.slow = false;
  disk.syncs[0]?.();
  await Promise.all(both);
  expect(answered).toEqual(['written', 'read 1']);
  await database.close();
});

test('reading does not wait for the disk', async () => {
  const disk = slowDisk();
  const database = await open(temporaryFolder(), disk.files);
  disk.slow = true;
  expect(await numbers(database)).toEqual([]);
  await database.close();
});

test('what the disk did not take is not answered, and nothing after it until the database is opened again', async () => {
  const folder = temporaryFolder();
  const files = failingFileSystem();
  const database = await open(folder, files);
  await database.transaction((transaction) => insert(transaction, 1));
  files.fail('sync', 'EIO');
  const said: string[] = [];
  const lost = await rejection(database.transaction(async (transaction) => {
    transaction.afterCommit(() => said.push('committed'));
    await insert(transaction, 2);
  }));
  expect(lost).toMatchObject({ reason: 'IO', facts: { path: expect.stringContaining(folder) }, message: expect.stringMatching(/EIO.*check the disk and start the service again/) });
  files.heal();
  for (const act of [() => database.transaction((transaction) => insert(transaction, 3)), () => insert(database, 4), () => numbers(database)]) expect(await rejection(act())).toBe(lost);
  expect(said).toEqual([]);
  await database.close();
  const again = await open(folder, files);
  expect(await numbers(again)).toContain(1);
  expect(await numbers(again)).not.toContain(3);
  await again.close();
});
