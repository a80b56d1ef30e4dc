export { containsRange, evenPart, rangeLength, type Range } from './range';
export { children, foldTree, subtreeRoots } from './tree';
export { formatPosition, PHASES, samePosition, type Phase, type Position } from './position';
export { CollectiveError, type CallClaim, type Collective, type CollectiveErrorReason, type Round } from './collective';
export { LocalCollective } from './local-collective';
