import { create } from '@bufbuild/protobuf';
import { LedgerSummarySchema, type LedgerSummary } from '@lockstep/contract';
import { mergeTallies, type TallySummary } from '@lockstep/sharding';

export const toLedger = ({ records, sum }: TallySummary): LedgerSummary => create(LedgerSummarySchema, { records: BigInt(records), sum });

/** @returns the tally of nothing for a message that is absent */
export const fromLedger = (ledger: LedgerSummary | undefined): TallySummary => ({ records: Number(ledger?.records ?? 0n), sum: ledger?.sum ?? 0n });

/** What both together consumed. @throws ShardingError BAD_ARGUMENT for more records than a number counts */
export const addLedgers = (one: LedgerSummary | undefined, other: LedgerSummary | undefined): LedgerSummary =>
  toLedger(mergeTallies([fromLedger(one), fromLedger(other)]));
