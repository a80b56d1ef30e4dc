/**
 * Changes of membership for tests, as data: members in threads, a group per generation, and what ends each of them.
 */
import { sharedGroup, type SharedGroup } from './shared-memory-collective';

/** What happens to a member in one of the collective operations of a generation, counted from 1: the first ones make the members equal. */
export type Fault =
  /** Gone before it contributes. */
  | { readonly kind: 'DIES_BEFORE'; readonly member: number; readonly operation: number }
  /** Gone after it contributed, before anybody has the sums. */
  | { readonly kind: 'DIES_AFTER_SUBMIT'; readonly member: number; readonly operation: number }
  /** Gone when all have the sums: nobody hears of it before the next operation. */
  | { readonly kind: 'DIES_AFTER'; readonly member: number; readonly operation: number }
  /** Gone when all but one have the sums: `laggard` never gets them from its group. */
  | { readonly kind: 'LEAVES_ONE_BEHIND'; readonly member: number; readonly operation: number; readonly laggard: number };

/** A generation, and what ends it. */
export interface ScheduledGeneration {
  /** Numbers of the members, by rank. One that was in no generation before joins. */
  readonly members: readonly number[];
  /** Absent: it lasts until the end, or until the next generation's joiner is ready and some operations were begun. */
  readonly fault?: Fault;
}

/** What the threads share. */
export interface ElasticRun {
  readonly replicas: number;
  readonly generations: readonly ScheduledGeneration[];
  readonly groups: readonly SharedGroup[];
  /** Index of the newest generation that is assigned. */
  readonly assigned: SharedArrayBuffer;
  /** Operations that were begun in each generation, by all members together. */
  readonly begun: SharedArrayBuffer;
}

export const elasticRun = (replicas: number, generations: readonly ScheduledGeneration[]): ElasticRun => ({
  replicas, generations,
  groups: generations.map(({ members }) => sharedGroup(replicas, members.length)),
  assigned: new SharedArrayBuffer(4),
  begun: new SharedArrayBuffer(4 * generations.length),
});
