/**
 * The shard table of a split: what is cut once, at submission, and stored with the job.
 *
 * 1. The shards of a file are disjoint and none is empty.
 * 2. The order of the shards is part of the table: it numbers the records of the split.
 * 3. A table has one JSON form, byte for byte; another is refused, so that equal tables have equal digests.
 */
import { ShardingError } from './sharding-error';

/** A run of records in one file. */
export interface Shard {
  /** Logical path of the file: the same on every machine, whatever the place where a worker keeps its copy. */
  readonly file: string;
  /** Number of the shard's first record in the file, from 0. */
  readonly firstRecord: number;
  readonly recordCount: number;
}

/** All records of a split, in the order in which they are read when nothing is shuffled. */
export interface ShardTable {
  readonly split: string;
  readonly shards: readonly Shard[];
}

/** A file with its number of records. */
export interface RecordFile {
  readonly file: string;
  readonly recordCount: number;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/**
 * Cuts files into shards of equal size, to within one record, none larger than `targetRecords`. Files keep their order;
 * those without records have no shard.
 *
 * @throws ShardingError BAD_ARGUMENT, BAD_TABLE
 */
export function cutShards(split: string, files: readonly RecordFile[], targetRecords: number): ShardTable {
  if (!isCount(targetRecords) || targetRecords === 0) {
    throw new ShardingError('BAD_ARGUMENT', `records per shard must be a positive integer, not ${targetRecords}`);
  }
  const shards = files.flatMap(({ file, recordCount }) => {
    if (!isCount(recordCount)) throw new ShardingError('BAD_TABLE', `${file} has ${recordCount} records: give a count from 0 on`);
    const parts = Math.ceil(recordCount / targetRecords);
    return Array.from({ length: parts }, (_, part): Shard => {
      const firstRecord = Math.floor((part * recordCount) / parts);
      return { file, firstRecord, recordCount: Math.floor(((part + 1) * recordCount) / parts) - firstRecord };
    });
  });
  return checkShardTable({ split, shards });
}

/**
 * The table itself, when it holds what a table promises.
 *
 * @throws ShardingError BAD_TABLE that names the shard
 */
export function checkShardTable(table: ShardTable): ShardTable {
  const refuse = (shard: number, problem: string): never => {
    throw new ShardingError('BAD_TABLE', `shard ${shard} of split ${table.split} ${problem}`);
  };
  const byFile = new Map<string, { readonly shard: number; readonly from: number; readonly to: number }[]>();
  table.shards.forEach(({ file, firstRecord, recordCount }, shard) => {
    if (typeof file !== 'string' || file === '') refuse(shard, 'names no file');
    if (!isCount(firstRecord)) refuse(shard, `starts at record ${firstRecord} of ${file}: not a record number`);
    if (!isCount(recordCount) || recordCount === 0) refuse(shard, `has ${recordCount} records of ${file}: at least one is needed`);
    const runs = byFile.get(file) ?? [];
    runs.push({ shard, from: firstRecord, to: firstRecord + recordCount });
    byFile.set(file, runs);
  });
  for (const [file, runs] of byFile) {
    runs.sort((a, b) => a.from - b.from);
    runs.forEach((run, i) => {
      const next = runs[i + 1];
      if (next && next.from < run.to) refuse(next.shard, `has records ${next.from} to ${run.to} of ${file}, as has shard ${run.shard}: a record belongs to one shard`);
    });
  }
  return table;
}

/** The canonical JSON form: fixed order of keys, no spaces. */
export const encodeShardTable = ({ split, shards }: ShardTable): string =>
  JSON.stringify({ split, shards: shards.map(({ file, firstRecord, recordCount }) => ({ file, firstRecord, recordCount })) });

/** @throws ShardingError BAD_TABLE for anything but the canonical form of a valid table */
export function decodeShardTable(json: string): ShardTable {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new ShardingError('BAD_TABLE', `a shard table is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!isTable(value)) throw new ShardingError('BAD_TABLE', 'a shard table is an object {split, shards: [{file, firstRecord, recordCount}]}');
  checkShardTable(value);
  if (encodeShardTable(value) !== json) throw new ShardingError('BAD_TABLE', `the shard table of split ${value.split} is not in its canonical form: it was not written by encodeShardTable`);
  return value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

const isTable = (value: unknown): value is ShardTable =>
  isObject(value) && typeof value['split'] === 'string' && Array.isArray(value['shards']) && value['shards'].every(isObject);
