import fs from 'node:fs';
import { fileErrorCode } from './storage-error';

/** What follows the file's name where SQLite keeps the locks of a database in WAL mode. */
const SHARED_MEMORY = '-shm';

/**
 * The other process that holds a write lock on a SQLite database, for a message: `process 4711 (sqlite3)`.
 *
 * It looks at the system's list of locks and never opens the database's files: a process that closes one of them loses all of its own locks on it (POSIX).
 *
 * @returns undefined when nobody else does, and where the system has no such list
 */
export function lockHolder(file: string): string | undefined {
  const inodes = new Set([file, `${file}${SHARED_MEMORY}`].flatMap((path) => fs.statSync(path, { bigint: true, throwIfNoEntry: false })?.ino.toString() ?? []));
  for (const line of textOf('/proc/locks')?.split('\n') ?? []) {
    // 1: POSIX  ADVISORY  WRITE 4711 08:01:131 120 120; with an arrow after the number it is of one who waits.
    const [, kind, , access, pid = '', place = ''] = line.trim().split(/\s+/);
    const inode = place.split(':').at(-1) ?? '';
    if (kind !== 'POSIX' || access !== 'WRITE' || Number(pid) === process.pid || !inodes.has(inode)) continue;
    const program = textOf(`/proc/${pid}/comm`)?.trim();
    return `process ${pid}${program === undefined ? '' : ` (${program})`}`;
  }
  return undefined;
}

/** The text of a file of the system's, or undefined when there is none or it is not for us. */
function textOf(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (e) {
    if (fileErrorCode(e) === undefined) throw e;
    return undefined;
  }
}
