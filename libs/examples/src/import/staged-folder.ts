import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ExamplesError, fileError, systemCode } from '../examples-error';

/**
 * Fills a folder that is seen whole or not at all: it is written beside its place and renamed.
 *
 * @throws ExamplesError OUTPUT_EXISTS, UNREADABLE_FILE, and whatever `fill` throws
 */
export async function stageFolder<T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const folder = resolve(target);
  const entries = await readdir(folder).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw fileError(folder, 'write', cause);
  });
  if (entries && entries.length > 0) throw new ExamplesError('OUTPUT_EXISTS', `${folder} is not empty: name a folder that does not exist yet, or remove this one first`, { file: folder });
  let staging: string | undefined;
  try {
    await mkdir(dirname(folder), { recursive: true });
    staging = await mkdtemp(join(dirname(folder), `.${basename(folder)}.`));
    const contents = join(staging, 'contents');
    await mkdir(contents);
    const result = await fill(contents);
    await rename(contents, folder);
    return result;
  } catch (cause) {
    throw systemCode(cause) === undefined ? cause : fileError(folder, 'write', cause);
  } finally {
    if (staging !== undefined) await rm(staging, { recursive: true, force: true });
  }
}
