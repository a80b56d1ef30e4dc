import { fork } from 'node:child_process';
import path from 'node:path';

/** A program of its own that has a SQLite database locked. */
export interface DatabaseLock {
  readonly pid: number;
  /** Lets go, and waits for the program to end. */
  release(): Promise<void>;
}

/** Has another process lock a SQLite database. In WAL mode others may read meanwhile; a file that is new has not come to that. */
export async function lockDatabase(file: string): Promise<DatabaseLock> {
  const child = fork(path.join(__dirname, '..', '..', 'dist', 'testing', 'lock-process.js'), [file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await Promise.race([
    new Promise<void>((resolve) => child.once('message', () => resolve())),
    exited.then(() => { throw new Error(`the process that was to lock ${file} has ended`); }),
  ]);
  return {
    pid: child.pid ?? 0,
    release: async () => {
      child.send('release');
      await exited;
    },
  };
}
