import { countRecords, ExamplesError } from '@lockstep/examples';
import { checkShardTable, cutShards, type Shard } from '@lockstep/sharding';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ExampleFiles } from './example-files';

/** Records of a shard: so many lie together when a dataset is shuffled. */
const SHARD_RECORDS = 4096;

/**
 * TFRecord files on this machine, for use outside of a job. All records are read once, and their CRCs checked.
 *
 * @param patterns paths; `*` and `?` in the last part match any and one character, but no hidden file
 * @throws ExamplesError NO_FILES, UNREADABLE_FILE, TRUNCATED, CORRUPT, BAD_GZIP
 */
export async function openLocalExamples(patterns: readonly string[]): Promise<ExampleFiles> {
  const shards = new Map<string, readonly Shard[]>();
  for (const pattern of patterns) {
    const files = await Promise.all((await expand(pattern)).map(async (file) => ({ file, recordCount: await countRecords(file) })));
    shards.set(pattern, cutShards(pattern, files, SHARD_RECORDS).shards);
  }
  return {
    shards: (wanted) => checkShardTable({
      split: wanted.join(' '),
      shards: wanted.flatMap((pattern) => shards.get(pattern) ?? notOpened(pattern, patterns)),
    }),
    localPath: (file) => Promise.resolve(file),
  };
}

function notOpened(pattern: string, opened: readonly string[]): never {
  throw new ExamplesError('NO_FILES', `${pattern} is none of the patterns that were opened: ${opened.join(', ')}`, { file: pattern });
}

async function expand(pattern: string): Promise<readonly string[]> {
  const folder = dirname(pattern);
  const name = basename(pattern);
  if (/[*?]/.test(folder)) throw new ExamplesError('NO_FILES', `${pattern}: only the last part of a pattern may have * and ?`, { file: pattern });
  if (!/[*?]/.test(name)) return [pattern];
  const matcher = new RegExp(`^${name.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`);
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ExamplesError('NO_FILES', `no file matches ${pattern}: the folder ${folder} cannot be read`, { file: pattern }, { cause });
  });
  const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && matcher.test(entry.name)).map((entry) => join(folder, entry.name));
  if (files.length === 0) throw new ExamplesError('NO_FILES', `no file matches ${pattern}: name the files of a split, like <examples>/Split-train/*`, { file: pattern });
  // By code units: a locale must not change the order of the records.
  return files.sort((a, b) => (a < b ? -1 : 1));
}
