import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { GraphError } from './graph-error';

/** A folder beside its target: readers see all of what is written to it, or nothing. */
export interface StagedDirectory {
  /** Write here. On the same file system as the target. */
  readonly path: string;
  /** Moves the folder to its target in one step. */
  publish(): void;
  /** Removes the folder, unless it was published. */
  discard(): void;
}

/**
 * Makes the folder; the target's parents too.
 *
 * @throws GraphError DIRECTORY_EXISTS when the target exists and is not an empty folder
 */
export function stageDirectory(target: string): StagedDirectory {
  const directory = resolve(target);
  if (existsSync(directory) && !(statSync(directory).isDirectory() && readdirSync(directory).length === 0)) {
    throw new GraphError('DIRECTORY_EXISTS', `${directory} exists and is not an empty directory: export to another one, or remove it first`);
  }
  mkdirSync(dirname(directory), { recursive: true });
  // Not mkdtemp, whose folders only the owner may read.
  const path = join(dirname(directory), `.${basename(directory)}.${randomUUID()}`);
  mkdirSync(path);
  return {
    path,
    publish: () => renameSync(path, directory),
    discard: () => rmSync(path, { recursive: true, force: true }),
  };
}
