import type { FileSystem, OpenFile } from '@lockstep/storage';

/** How a process ends: killed, or with the power, which takes everything that was not synced. */
export type CrashKind = 'KILL' | 'POWER_LOSS';

/** What an operation of a process that has crashed ends with. */
export class Crashed extends Error {
  override readonly name = 'Crashed';
}

/** Decides, at each operation of a process, whether it ends there; and lets others go first. */
export interface CrashPlan {
  /** Called before and after each operation. @throws Crashed from the crash on */
  step(): Promise<void>;
}

interface StoredFile {
  bytes: Buffer;
  /** What a loss of power leaves of the bytes. */
  synced: Buffer;
}

const noEntry = (path: string): Error => Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
const splitPath = (path: string): readonly [folder: string, name: string] => [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];

/** A disk in memory that outlives its processes. Names and bytes that were not synced may be lost. */
export class CrashingDisk {
  /** Folders, by name of the file. */
  private current = new Map<string, Map<string, StoredFile>>();
  private readonly durable = new Map<string, Map<string, StoredFile>>();

  /** The disk as one process sees it. */
  files(plan: CrashPlan): FileSystem {
    const act = async <T>(operation: () => T): Promise<T> => {
      await plan.step();
      const result = operation();
      await plan.step();
      return result;
    };
    return {
      open: (path, mode) => act(() => openFile(this.entry(path, mode), act)),
      rename: (from, to) => act(() => {
        const file = this.entry(from, 'read');
        this.folderOf(from).delete(splitPath(from)[1]);
        this.folderOf(to).set(splitPath(to)[1], file);
      }),
      remove: (path) => act(() => void this.folderOf(path).delete(splitPath(path)[1])),
      makeFolder: (path) => act(() => {
        if (!this.current.has(path)) this.current.set(path, new Map());
        if (!this.durable.has(path)) this.durable.set(path, new Map());
      }),
      // Most of the 256 folders are empty: an operation there would only make others rare.
      list: (folder) => (this.current.get(folder)?.size === 0 ? Promise.resolve([]) : act(() => [...this.current.get(folder)?.keys() ?? []])),
      sizeOf: (path) => act(() => this.folderOf(path).get(splitPath(path)[1])?.bytes.length),
      syncFolder: (folder) => act(() => void this.durable.set(folder, new Map(this.current.get(folder)))),
    };
  }

  /** What the next process finds. */
  crash(kind: CrashKind): void {
    if (kind === 'KILL') return;
    this.current = new Map([...this.durable].map(([folder, files]) => [folder, new Map(files)]));
    for (const files of this.current.values()) for (const file of files.values()) file.bytes = Buffer.from(file.synced);
  }

  private folderOf(path: string): Map<string, StoredFile> {
    const folder = this.current.get(splitPath(path)[0]);
    if (!folder) throw noEntry(path);
    return folder;
  }

  private entry(path: string, mode: 'read' | 'write'): StoredFile {
    const folder = this.folderOf(path);
    const [, name] = splitPath(path);
    const known = folder.get(name);
    if (known) return known;
    if (mode === 'read') throw noEntry(path);
    const made: StoredFile = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    folder.set(name, made);
    return made;
  }
}

function openFile(file: StoredFile, act: <T>(operation: () => T) => Promise<T>): OpenFile {
  return {
    write: (bytes, position) => act(() => {
      const grown = Buffer.alloc(Math.max(file.bytes.length, position + bytes.length));
      file.bytes.copy(grown);
      grown.set(bytes, position);
      file.bytes = grown;
    }),
    read: (position, length) => act(() => Buffer.from(file.bytes.subarray(position, position + length))),
    size: () => act(() => file.bytes.length),
    sync: () => act(() => { file.synced = Buffer.from(file.bytes); }),
    close: () => Promise.resolve(),
  };
}
