/**
 * Folders that somebody named on the command line. Node.js makes parents (`recursive`) by trying the whole path again after each one, and so
 * for ever where the system says that a folder does not exist which it does not let anybody make, as in /proc.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { types } from 'node:util';
import { CliError } from './cli-error';

/**
 * Makes a folder and its parents, unless they are there.
 *
 * @param folder an absolute path
 * @throws CliError that names the folder that could not be made
 */
export function makeFolder(folder: string): void {
  switch (tryFolder(folder)) {
    case 'MADE':
    case 'EXISTS': return;
    case 'NO_PARENT': {
      const parent = dirname(folder);
      if (parent !== folder) makeFolder(parent);
      if (tryFolder(folder) === 'NO_PARENT') throw unwritable(folder, 'the system lets nobody make it there');
    }
  }
}

/**
 * Makes a folder's parents, and sees whether the folder itself can be made; whoever fills it makes it.
 *
 * @param folder an absolute path
 * @throws CliError that names the folder that could not be made
 */
export function makeRoomFor(folder: string): void {
  makeFolder(dirname(folder));
  switch (tryFolder(folder)) {
    case 'EXISTS': return;
    case 'MADE': return rmdirSync(folder);
    case 'NO_PARENT': throw unwritable(folder, 'the system lets nobody make it there');
  }
}

function tryFolder(folder: string): 'MADE' | 'EXISTS' | 'NO_PARENT' {
  try {
    mkdirSync(folder);
    return 'MADE';
  } catch (e) {
    const code = types.isNativeError(e) && 'code' in e ? e.code : undefined;
    // What exists may be a file: who writes into it is told so.
    if (code === 'EEXIST' || code === 'EISDIR') return 'EXISTS';
    if (code === 'ENOENT') return 'NO_PARENT';
    throw unwritable(folder, types.isNativeError(e) ? e.message : String(e));
  }
}

const unwritable = (folder: string, why: string): CliError => new CliError(`the folder ${folder} cannot be made: ${why}`, 'Name one in a place that you may write to.');
