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
