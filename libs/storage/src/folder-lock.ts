/**
 * One process a data folder.
 *
 * 1. The lock is an exclusive transaction on a database file of its own: the system releases it with the process, however that ends.
 * 2. Who holds it writes its pid beside it, for the error of who comes second; the lock does not depend on that file.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import fs from 'node:fs';
import path from 'node:path';
import { isBusy } from './sqlite-connection';
import { fileFailure, StorageError } from './storage-error';

/** A folder that this process has for itself. */
export interface FolderLock {
  readonly folder: string;
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly service: string;
}

/**
 * Makes the folder if need be and locks it.
 *
 * @param service who asks, for the other's error
 * @throws StorageError FOLDER_LOCKED that names the holder's pid; DISK_FULL or IO when the folder cannot be made
 */
export function lockFolder(folder: string, service: string): FolderLock {
  const lockFile = path.join(folder, 'lock.sqlite');
  const holderFile = path.join(folder, 'holder.json');
  let lock: InstanceType<typeof DatabaseSync>;
  try {
    fs.mkdirSync(folder, { recursive: true });
    lock = new DatabaseSync(lockFile);
  } catch (e) {
    throw fileFailure(e, 'open the data folder', folder);
  }
  try {
    lock.exec('BEGIN EXCLUSIVE');
    fs.writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, service } satisfies Holder)}\n`);
  } catch (e) {
    lock.close();
    if (!isBusy(e)) throw fileFailure(e, 'lock the data folder', folder);
    const holder = readHolder(holderFile);
    const who = holder ? `the ${holder.service} service with process id ${holder.pid}` : 'another process';
    throw new StorageError('FOLDER_LOCKED', `the data folder ${folder} is used by ${who}: stop it, or choose another folder with --data`,
      { path: folder, ...(holder && { pid: String(holder.pid) }) });
  }
  return {
    folder,
    release: () => {
      fs.rmSync(holderFile, { force: true });
      lock.close();
    },
  };
}

function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    return undefined; // The holder has the lock and has not written its name yet.
  }
  const [, pid, service] = /^\{"pid":(\d+),"service":"([^"]*)"\}\n$/.exec(text) ?? [];
  return pid === undefined || service === undefined ? undefined : { pid: Number(pid), service };
}
