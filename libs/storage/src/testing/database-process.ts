// Writes one entry a transaction and reports each that was committed, until somebody ends the process.
import { openDatabase } from '../sqlite-database';
import { contractMigrations, type ContractSchema } from './database-contract';

async function main(folder: string): Promise<void> {
  const database = await openDatabase<ContractSchema>({ folder, service: 'test', programVersion: '1.0.0', migrations: contractMigrations });
  for (let number = 1; process.connected; number++) {
    await database.transaction(({ query }) => query.insertInto('entry').values({ name: 'entry', number }).execute());
    await new Promise<void>((resolve) => process.send?.(number, undefined, undefined, () => resolve()));
  }
}

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: database-process.js FOLDER');
void main(folder);
