// Holds the lock of a SQLite database, as a backup or a tool does, until it is told to let go. In WAL mode others may read meanwhile.
import { DatabaseSync } from '@photostructure/sqlite';

function main(file: string): void {
  const database = new DatabaseSync(file);
  database.exec('BEGIN EXCLUSIVE');
  process.once('message', () => {
    database.exec('COMMIT');
    database.close();
    process.disconnect();
  });
  process.send?.('locked');
}

const [, , file] = process.argv;
if (file === undefined) throw new Error('usage: lock-process.js FILE');
main(file);
