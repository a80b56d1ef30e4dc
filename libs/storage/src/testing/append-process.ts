// Appends events of the subject `shared`, several transactions at once, and says how many when all are durable.
import { EventLog } from '../event-log';
import { openPostgres } from '../postgres/postgres-database';
import { sharedMigrations, type ContractSchema } from './database-contract';

const AT_ONCE = 4;

async function main(url: string, name: string, count: number): Promise<void> {
  const database = await openPostgres<ContractSchema>({ url, service: 'test', programVersion: '1.0.0', migrations: sharedMigrations });
  const log = new EventLog(database);
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const payload = Buffer.from(`${name} ${next++}`);
      await database.transaction((t) => log.append(t, [{ subject: 'shared', type: 'said', payload, timeMs: 1 }]));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  await database.close();
}

const [, , url, name, count] = process.argv;
if (url === undefined || name === undefined || count === undefined) throw new Error('usage: append-process.js URL NAME COUNT');
void main(url, name, Number(count));
