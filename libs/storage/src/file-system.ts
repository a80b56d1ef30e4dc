import fs from 'node:fs/promises';
import { fileErrorCode } from './storage-error';

/** A file that is open for reading and writing at positions. */
export interface OpenFile {
  /** Writes all of the bytes. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `length` bytes; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Bytes of the file. */
  size(): Promise<number>;
  /** Returns when what was written would survive power loss. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What the blob store asks of a file system; tests put a failing one in its place. Errors are Node's, with their code. */
export interface FileSystem {
  /** `read` fails with ENOENT when there is none, `write` creates it. */
  open(path: string, mode: 'read' | 'write'): Promise<OpenFile>;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string): Promise<void>;
  /** Fine when there is none. */
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Names in a folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Size of a file, or undefined when there is none. */
  sizeOf(path: string): Promise<number | undefined>;
  /** Makes names that were created, renamed or removed in a folder survive power loss. */
  syncFolder(folder: string): Promise<void>;
}

export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => new NodeFile(await fs.open(path, mode === 'read' ? 'r' : fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)),
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.rm(path, { force: true }),
  makeFolder: async (path) => void (await fs.mkdir(path, { recursive: true })),
  list: (folder) => fs.readdir(folder),
  sizeOf: async (path) => {
    try {
      return (await fs.stat(path)).size;
    } catch (e) {
      if (fileErrorCode(e) === 'ENOENT') return undefined;
      throw e;
    }
  },
  syncFolder: async (folder) => {
    const handle = await fs.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

class NodeFile implements OpenFile {
  constructor(private readonly handle: fs.FileHandle) {}

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) done += (await this.handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async size(): Promise<number> {
    return (await this.handle.stat()).size;
  }

  sync(): Promise<void> {
    return this.handle.sync();
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
