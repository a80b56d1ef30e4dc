import type { ShardTable as AssignedTable } from '@lockstep/contract';
import { ExamplesError } from '@lockstep/examples';
import type { ShardTable } from '@lockstep/sharding';
import type { ExampleFiles } from '@lockstep/training';
import { JobTables, type VersionCache } from '@lockstep/client';

/** A pattern as fnArgs.trainFiles has it: a version of the job's examples, and a split. */
export const splitPattern = (version: string, split: string): string => `${version}/Split-${split}/*`;

/** The files that a job was assigned: its shard tables, fetched file by file when a record of them is first read. */
export class JobFiles implements ExampleFiles {
  private readonly tables: JobTables;

  constructor(assigned: readonly AssignedTable[], private readonly cache: VersionCache) {
    this.tables = new JobTables(assigned);
  }

  /** Records of each split. */
  get recordCounts(): Readonly<Record<string, number>> {
    return this.tables.recordCounts;
  }

  shards(patterns: readonly string[]): ShardTable {
    const found = this.tables.shards(patterns);
    if (found.kind === 'FOUND') return found.table;
    const { pattern } = found;
    throw new ExamplesError('NO_FILES', `${pattern} matches none of the job's files: use fnArgs.trainFiles and fnArgs.evalFiles (the job reads the splits ${this.tables.splits.join(', ')})`, { file: pattern });
  }

  localPath(file: string): Promise<string> {
    const place = this.tables.place(file);
    if (!place) throw new ExamplesError('NO_FILES', `${file} is not one of the job's files`, { file });
    return this.cache.file(place.version, place.path);
  }
}
