import { comparePaths, filePathFault, type FileMode } from '@lockstep/versions';
import fs from 'node:fs/promises';
import path from 'node:path';
import { TransferError } from './transfer-error';

/** Where the bytes of a file are read from. */
export interface FileReader {
  /** Exactly `length` bytes. @throws TransferError FILE_CHANGED when there are fewer */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A file that is to be put. */
export interface FileSource {
  /** In the version: relative, with "/" between the parts. */
  readonly path: string;
  readonly mode: FileMode;
  readonly sizeBytes: number;
  open(): Promise<FileReader>;
}

/** A file of some bytes. */
export function fileOfBytes(filePath: string, bytes: Uint8Array, mode: FileMode = 0o644): FileSource {
  return {
    path: filePath, mode, sizeBytes: bytes.length,
    open: () => Promise.resolve({ read: (position, length) => Promise.resolve(bytes.subarray(position, position + length)), close: () => Promise.resolve() }),
  };
}

/** A file on disk. @param filePath its path in the version */
export async function fileOnDisk(filePath: string, location: string): Promise<FileSource> {
  const stat = await fs.stat(location);
  if (!stat.isFile()) throw new TransferError('UNSUPPORTED_FILE', `${location} is not a regular file: put files and folders of files only`);
  return {
    path: filePath, mode: (stat.mode & 0o100) === 0 ? 0o644 : 0o755, sizeBytes: stat.size,
    open: async () => readerOf(await fs.open(location, 'r'), location),
  };
}

function readerOf(handle: fs.FileHandle, location: string): FileReader {
  return {
    read: async (position, length) => {
      const buffer = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
        if (bytesRead === 0) throw new TransferError('FILE_CHANGED', `${location} became shorter while it was put: put it again when nobody writes to it`);
        filled += bytesRead;
      }
      return buffer;
    },
    close: () => handle.close(),
  };
}

/**
 * All files below a folder, sorted by path. Links to files are followed; names are brought into Unicode normal form C.
 *
 * @throws TransferError NO_FILES, UNSUPPORTED_FILE (a link to a folder, a device), INVALID_FILES (a name that a version cannot have)
 */
export async function filesBelow(folder: string): Promise<readonly FileSource[]> {
  const found: FileSource[] = [];
  const visit = async (relative: string): Promise<void> => {
    for (const entry of await fs.readdir(path.join(folder, relative), { withFileTypes: true })) {
      const below = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        await visit(below);
        continue;
      }
      const inVersion = below.normalize('NFC');
      const fault = filePathFault(inVersion);
      if (fault !== undefined) throw new TransferError('INVALID_FILES', `${path.join(folder, below)} cannot be put: ${fault}`);
      found.push(await fileOnDisk(inVersion, path.join(folder, below)));
    }
  };
  await visit('');
  if (found.length === 0) throw new TransferError('NO_FILES', `${folder} has no files: a version has at least one`);
  return found.sort((a, b) => comparePaths(a.path, b.path));
}
