import type { ShardTable } from '@lockstep/sharding';

/** The files that an accessor may read: in a job what it was assigned, elsewhere what lies on the disk. */
export interface ExampleFiles {
  /**
   * The records of all files that match, in the order of the patterns, then of the files' names. The same on every
   * member of a job.
   *
   * @throws ExamplesError NO_FILES for a pattern that matches nothing
   */
  shards(patterns: readonly string[]): ShardTable;
  /** Where a file of the table lies on this machine; fetches it first where it is not there yet. */
  localPath(file: string): Promise<string>;
}
