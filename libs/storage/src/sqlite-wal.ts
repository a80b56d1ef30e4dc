import { nodeFileSystem, type FileSystem, type OpenFile } from './file-system';
import { fileErrorCode, StorageError } from './storage-error';

/** What follows the file's name where SQLite keeps the log of a database in WAL mode. */
const LOG = '-wal';

/**
 * Makes what SQLite has committed durable, beside the event loop.
 *
 * SQLite would wait for the disk within its commit, and the process with it. It is told not to (synchronous = NORMAL: it still syncs its log before it copies
 * pages out of it, and so never damages the database); the log is synced here before whoever committed is told.
 *
 * After a sync that failed nobody knows what the disk has, even if the next one succeeds: from then on nothing is read or written until the process starts again.
 */
export class WalSync {
  private log: OpenFile | undefined;
  private failure: StorageError | undefined;

  /** @param database its file, which is open in WAL mode */
  constructor(private readonly database: string, private readonly files: FileSystem = nodeFileSystem) {}

  /** Returns when everything that was committed before would survive power loss. @throws StorageError IO */
  async sync(): Promise<void> {
    this.check();
    try {
      this.log ??= await this.files.open(this.database + LOG, 'read');
      await this.log.sync();
    } catch (e) {
      this.failure = new StorageError('IO',
        `the disk did not take what was written to the database ${this.database} (${fileErrorCode(e) ?? String(e)}), and what it has of it is unknown: check the disk and start the service again`,
        { path: this.database }, { cause: e });
      throw this.failure;
    }
  }

  /** @throws StorageError IO after a sync that failed */
  check(): void {
    if (this.failure) throw this.failure;
  }

  async close(): Promise<void> {
    await this.log?.close();
    this.log = undefined;
  }
}
