import * as fc from 'fast-check';
import { checkShardTable, cutShards, decodeShardTable, encodeShardTable, type Shard } from './shard-table';
import { ShardingError, type ShardingErrorReason } from './sharding-error';

const reasonOf = (run: () => unknown): ShardingErrorReason | undefined => {
  try {
    run();
  } catch (e) {
    if (e instanceof ShardingError) return e.reason;
    throw e;
  }
  return undefined;
};

test.each<[string, readonly [string, number][], number, readonly Shard[]]>([
  ['a file smaller than a shard', [['a', 3]], 4, [{ file: 'a', firstRecord: 0, recordCount: 3 }]],
  ['a file of two shards, evenly', [['a', 5]], 4, [{ file: 'a', firstRecord: 0, recordCount: 2 }, { file: 'a', firstRecord: 2, recordCount: 3 }]],
  ['files in their order, empty ones left out', [['b', 2], ['empty', 0], ['a', 1]], 4, [{ file: 'b', firstRecord: 0, recordCount: 2 }, { file: 'a', firstRecord: 0, recordCount: 1 }]],
  ['no file', [], 4, []],
])('cuts %s', (_what, files, target, shards) => {
  expect(cutShards('train', files.map(([file, recordCount]) => ({ file, recordCount })), target)).toEqual({ split: 'train', shards });
});

test('cut shards hold every record of every file once, none more than the target', () => {
  fc.assert(fc.property(fc.array(fc.nat(300), { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (counts, target) => {
    const { shards } = cutShards('s', counts.map((recordCount, i) => ({ file: `f${i}`, recordCount })), target);
    const found = shards.flatMap((shard) => Array.from({ length: shard.recordCount }, (_, i) => `${shard.file}:${shard.firstRecord + i}`));
    expect(found).toEqual(counts.flatMap((count, f) => Array.from({ length: count }, (_, i) => `f${f}:${i}`)));
    expect(Math.max(0, ...shards.map((shard) => shard.recordCount))).toBeLessThanOrEqual(target);
  }));
});

test.each<[string, Shard[], RegExp]>([
  ['overlapping shards', [{ file: 'a', firstRecord: 0, recordCount: 3 }, { file: 'a', firstRecord: 2, recordCount: 2 }], /shard 1 of split train .* records 2 to 3 of a/],
  ['an empty shard', [{ file: 'a', firstRecord: 0, recordCount: 0 }], /shard 0 .* 0 records of a/],
  ['a shard without a file', [{ file: '', firstRecord: 0, recordCount: 1 }], /names no file/],
  ['a negative first record', [{ file: 'a', firstRecord: -1, recordCount: 1 }], /record -1 of a/],
  ['a broken record count', [{ file: 'a', firstRecord: 0, recordCount: 1.5 }], /1.5 records/],
])('refuses %s', (_what, shards, message) => {
  expect(() => checkShardTable({ split: 'train', shards })).toThrow(message);
  expect(reasonOf(() => checkShardTable({ split: 'train', shards }))).toBe('BAD_TABLE');
});

test('the JSON form is canonical and reads back', () => {
  const table = cutShards('träin', [{ file: 'Split-train/a', recordCount: 5 }], 3);
  const json = '{"split":"träin","shards":[{"file":"Split-train/a","firstRecord":0,"recordCount":2},{"file":"Split-train/a","firstRecord":2,"recordCount":3}]}';
  expect(encodeShardTable(table)).toBe(json);
  expect(decodeShardTable(json)).toEqual(table);
});

test.each<[string, string]>([
  ['text that is no JSON', '{'],
  ['another value', '[]'],
  ['a table without shards', '{"split":"a"}'],
  ['other spacing', '{"split":"a", "shards":[]}'],
  ['another order of keys', '{"shards":[],"split":"a"}'],
  ['unknown keys', '{"split":"a","shards":[{"file":"f","firstRecord":0,"recordCount":1,"more":1}]}'],
  ['an invalid shard', '{"split":"a","shards":[{"file":"f","firstRecord":0,"recordCount":0}]}'],
])('does not decode %s', (_what, json) => {
  expect(reasonOf(() => decodeShardTable(json))).toBe('BAD_TABLE');
});
