import type { ShardTable as ShardTableMessage } from '@lockstep/contract';
import { checkShardTable, type ShardTable } from '@lockstep/sharding';

/** The shard tables of a job, with its files by the names that modules give them: `<version>/Split-<split>/<file>`. */
export class JobTables {
  private readonly places = new Map<string, { readonly version: string; readonly path: string }>();
  private readonly tables: readonly ShardTable[];

  constructor(stored: readonly ShardTableMessage[]) {
    this.tables = stored.map(({ split, shards }) => ({
      split,
      shards: shards.map(({ version, path, firstRecord, recordCount }) => {
        const file = `${version}/${path}`;
        this.places.set(file, { version, path });
        return { file, firstRecord: Number(firstRecord), recordCount: Number(recordCount) };
      }),
    }));
  }

  get splits(): readonly string[] {
    return this.tables.map(({ split }) => split);
  }

  /** Records of each split. */
  get recordCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.tables.map(({ split, shards }) => [split, shards.reduce((n, s) => n + s.recordCount, 0)]));
  }

  /**
   * The records of all files that match, in the order of the patterns.
   *
   * @param patterns paths of files; a `*` at the end stands for any
   * @returns the first pattern that matches nothing, if there is one
   * @throws ShardingError BAD_TABLE when a file matches twice
   */
  shards(patterns: readonly string[]): { readonly kind: 'FOUND'; readonly table: ShardTable } | { readonly kind: 'NO_MATCH'; readonly pattern: string } {
    const all = this.tables.flatMap(({ shards }) => shards);
    const found = patterns.map((pattern) => {
      const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
      return all.filter(({ file }) => file.startsWith(prefix));
    });
    const missing = found.findIndex((shards) => shards.length === 0);
    if (missing >= 0) return { kind: 'NO_MATCH', pattern: patterns[missing] ?? '' };
    return { kind: 'FOUND', table: checkShardTable({ split: patterns.join(' '), shards: found.flat() }) };
  }

  /** Where a file of the tables lies. */
  place(file: string): { readonly version: string; readonly path: string } | undefined {
    return this.places.get(file);
  }
}
