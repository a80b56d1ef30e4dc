export { layoutBuckets, type BucketLayout, type Part, type PlacedPart } from './bucket-layout';
export { chunkCount, chunkRange, splitBucket, type BucketSplit } from './chunk-ownership';
export { containsRange, evenPart, rangeLength, type Range } from './range';
export { children, foldTree, subtreeRoots } from './tree';
export { formatPosition, PHASES, samePosition, type Phase, type Position } from './position';
export { CollectiveError, type CallClaim, type Collective, type CollectiveErrorReason, type Round } from './collective';
export { LocalCollective } from './local-collective';
export { plannedTraffic, type ExchangeConstants, type Traffic } from './planned-traffic';
export {
  MAX_REPLICAS, maxRegisters, nodeNumber, planReduction, slotsOf,
  type Operand, type ReductionPlan, type ReductionStep, type Slot, type StepTarget,
} from './reduction-plan';
export { AgreeOperation, CLAIM_DIGEST_BYTES, encodeClaim, type Disagreement } from './operation/agree-operation';
export { fits, grow, NO_AREAS, placeRound, totalBytes, type AreaSizes, type BucketPlace, type RoundPlace, type RoundShape } from './operation/arena-layout';
export type { OutgoingPiece } from './operation/bucket-reduction';
export { formatRanks } from './operation/format-ranks';
export type { Operation, Placement, WaitDescription } from './operation/operation';
export { NODE_CLAIM, NODE_SUM, type PieceHeader } from './operation/piece-header';
export type { RoundMemory } from './operation/round-memory';
export { RoundOperation, type RoundContext } from './operation/round-operation';
export { RoundPlanner } from './operation/round-planner';
