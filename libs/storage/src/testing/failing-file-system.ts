import { nodeFileSystem, type FileSystem, type OpenFile } from '../file-system';

/** An operation of the file system that can be made to fail. */
export type FileOperation = 'open' | 'write' | 'sync' | 'rename' | 'syncFolder';

/** The real file system with faults on demand. */
export interface FailingFileSystem extends FileSystem {
  /**
   * Lets an operation fail with an error code from its n-th call on (1: the next), until `heal`. A failing write first writes half of its bytes,
   * as a full disk does.
   */
  fail(operation: FileOperation, code: string, fromCall?: number): void;
  heal(): void;
  /** What was called so far, in order. */
  readonly operations: readonly FileOperation[];
}

export function failingFileSystem(inner: FileSystem = nodeFileSystem): FailingFileSystem {
  const faults = new Map<FileOperation, { code: string; passes: number }>();
  const operations: FileOperation[] = [];
  const failureOf = (operation: FileOperation): Error | undefined => {
    operations.push(operation);
    const fault = faults.get(operation);
    if (!fault || fault.passes-- > 0) return undefined;
    return Object.assign(new Error(`${fault.code}: injected, ${operation}`), { code: fault.code });
  };
  const check = (operation: FileOperation): void => {
    const failure = failureOf(operation);
    if (failure) throw failure;
  };
  const wrap = (file: OpenFile): OpenFile => ({
    write: async (bytes, position) => {
      const failure = failureOf('write');
      if (!failure) return file.write(bytes, position);
      await file.write(bytes.subarray(0, bytes.length >> 1), position);
      throw failure;
    },
    sync: async () => {
      check('sync');
      await file.sync();
    },
    read: (position, length) => file.read(position, length),
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    ...inner,
    open: async (path, mode) => {
      check('open');
      return wrap(await inner.open(path, mode));
    },
    rename: async (from, to) => {
      check('rename');
      await inner.rename(from, to);
    },
    syncFolder: async (folder) => {
      check('syncFolder');
      await inner.syncFolder(folder);
    },
    fail: (operation, code, fromCall = 1) => void faults.set(operation, { code, passes: fromCall - 1 }),
    heal: () => faults.clear(),
    operations,
  };
}
