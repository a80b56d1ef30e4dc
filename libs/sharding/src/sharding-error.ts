/** Why a shard table, a plan or a ledger refused what it was given. */
export type ShardingErrorReason =
  /** A shard table that is not one: overlapping shards, bad counts, not the canonical form. */
  | 'BAD_TABLE'
  /** A batch size, step or range that does not exist. */
  | 'BAD_ARGUMENT'
  /** There is no record to read. */
  | 'NO_RECORDS'
  /** Whole files are dealt to more logical replicas than there are files. */
  | 'TOO_FEW_FILES'
  /** The same position and replica, with other records. */
  | 'LEDGER_CONFLICT'
  /** A record was read twice in one pass. */
  | 'READ_TWICE';

/** The assignment of records to positions was broken, or asked for something that it does not have. */
export class ShardingError extends Error {
  override readonly name = 'ShardingError';
  constructor(
    readonly reason: ShardingErrorReason,
    message: string,
  ) {
    super(message);
  }
}
