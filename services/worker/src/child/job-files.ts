import type { ShardTable as AssignedTable } from '@lockstep/contract';
import { ExamplesError } from '@lockstep/examples';
import { checkShardTable, VisitTally, type ShardTable } from '@lockstep/sharding';
import type { ExampleFiles, RowsRead } from '@lockstep/training';
import type { VersionCache } from '@lockstep/client';

/** A pattern as fnArgs.trainFiles has it: a version of the job's examples, and a split. */
export const splitPattern = (version: string, split: string): string => `${version}/Split-${split}/*`;

/** The files that a job was assigned: its shard tables, fetched file by file when a record of them is first read. */
export class JobFiles implements ExampleFiles {
  private readonly places = new Map<string, { readonly version: string; readonly path: string }>();
  private readonly tables: readonly { readonly split: string; readonly shards: ShardTable['shards'] }[];

  constructor(assigned: readonly AssignedTable[], private readonly cache: VersionCache) {
    this.tables = assigned.map(({ split, shards }) => ({
      split,
      shards: shards.map(({ version, path, firstRecord, recordCount }) => {
        const file = `${version}/${path}`;
        this.places.set(file, { version, path });
        return { file, firstRecord: Number(firstRecord), recordCount: Number(recordCount) };
      }),
    }));
  }

  /** Records of each split. */
  get recordCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.tables.map(({ split, shards }) => [split, shards.reduce((n, s) => n + s.recordCount, 0)]));
  }

  shards(patterns: readonly string[]): ShardTable {
    const shards = patterns.flatMap((pattern) => {
      const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
      const found = this.tables.flatMap((t) => t.shards).filter(({ file }) => file.startsWith(prefix));
      if (found.length > 0) return found;
      const known = this.tables.map((t) => t.split).join(', ');
      throw new ExamplesError('NO_FILES', `${pattern} matches none of the job's files: use fnArgs.trainFiles and fnArgs.evalFiles (the job reads the splits ${known})`, { file: pattern });
    });
    return checkShardTable({ split: patterns.join(' '), shards });
  }

  localPath(file: string): Promise<string> {
    const place = this.places.get(file);
    if (!place) throw new ExamplesError('NO_FILES', `${file} is not one of the job's files`, { file });
    return this.cache.file(place.version, place.path);
  }
}

/** Passes of an iteration are numbered from 0: with the iteration's number they are told apart in the whole job. */
const PASSES_AN_ITERATION = 1024;

/** The records that a member has read for training: those of the patterns that it trains on. */
export class TrainingLedger {
  private readonly tally = new VisitTally();

  /** @param split name of the table of the training files */
  constructor(private readonly split: string) {}

  readonly onRows = ({ split, iteration, visits }: RowsRead): void => {
    if (split === this.split) this.tally.add(visits.map(({ pass, record }) => ({ pass: iteration * PASSES_AN_ITERATION + pass, record })));
  };

  summary(): { readonly records: bigint; readonly sum: bigint; readonly xor: bigint } {
    const { records, sum, xor } = this.tally.summary();
    return { records: BigInt(records), sum, xor };
  }
}
