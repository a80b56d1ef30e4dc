export { ShardingError, type ShardingErrorReason } from './sharding-error';
export { checkShardTable, cutShards, decodeShardTable, encodeShardTable, type RecordFile, type Shard, type ShardTable } from './shard-table';
export { RecordNumbers, type RecordPlace } from './record-numbers';
export { Xoshiro128, type RandomKey } from './keyed-random';
export { ShuffledOrder, tableOrder, type RecordOrder, type ShuffleOptions } from './record-order';
export { BatchPlan, type BatchOptions, type RowPlace } from './batch-plan';
export { mergeTallies, VisitTally, type TallySummary, type Visit } from './visit-tally';
export { Ledger, type LedgerEntry, type LedgerOptions, type LedgerReport } from './ledger';
