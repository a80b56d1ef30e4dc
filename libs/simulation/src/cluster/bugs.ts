/** Faults that are planted to show that they are found. Only the simulation's own tests and command line can switch them on. */
export const PLANTED_BUGS = [
  'SUM_IN_ARRIVAL_ORDER', 'MISSING_FENCE', 'STATISTICS_APPLIED_TWICE', 'GENERATION_USED_TWICE', 'STATE_OF_A_DYING_PEER',
  'COMMIT_BEFORE_ALL_BUCKETS', 'LOST_EMPTY_CONTRIBUTION', 'STALE_CHECKPOINT', 'LEDGER_NOT_IDEMPOTENT', 'JOINER_ANSWERED_FROM_WRONG_CALL',
] as const;

export type PlantedBug = (typeof PLANTED_BUGS)[number];
