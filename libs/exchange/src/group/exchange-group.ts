import { MAX_REPLICAS, slotsOf, type Range } from '@lockstep/reduction';

/** A member of a generation. */
export interface ExchangeMember {
  readonly rank: number;
  /** host:port of its exchange. */
  readonly address: string;
  /** The logical replicas that it computes. */
  readonly range: Range;
}

/** A generation as one of its members sees it. */
export interface ExchangeGroup {
  /** Resource name of the job, jobs/{job}. */
  readonly job: string;
  readonly generation: bigint;
  /** Own rank. */
  readonly rank: number;
  /** By rank, this member included. */
  readonly members: readonly ExchangeMember[];
  /** The job's secret. */
  readonly token: Uint8Array;
  /** V, the number of logical replicas. */
  readonly replicas: number;
}

/** @throws RangeError when the group contradicts itself */
export function validateGroup(group: ExchangeGroup): void {
  const { members, rank, replicas } = group;
  const fail = (what: string): never => { throw new RangeError(`generation ${group.generation} of ${group.job}: ${what}`); };
  if (group.generation < 0n || group.generation >= 2n ** 64n) fail('the generation is no 64-bit number');
  if (replicas > MAX_REPLICAS) fail(`${replicas} logical replicas; at most ${MAX_REPLICAS} are supported`);
  if (!members[rank]) fail(`rank ${rank} is not among its ${members.length} members`);
  members.forEach((member, index) => {
    if (member.rank !== index) fail(`member ${index} has rank ${member.rank}: members are ordered by rank`);
    if (member.address === '') fail(`rank ${index} has no address`);
  });
  slotsOf(replicas, members.map(({ range }) => range));
}

/** `jobs/x generation 3`: how errors begin. */
export const formatGroup = (group: Pick<ExchangeGroup, 'job' | 'generation'>): string => `${group.job} generation ${group.generation}`;
