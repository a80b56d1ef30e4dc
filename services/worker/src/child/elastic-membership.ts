/** Which generation comes next, for the compute thread: assignments come by the session, groups are formed by the exchange. */
import { create } from '@bufbuild/protobuf';
import { MemberReadySchema, MemberSuspendedSchema, type Assignment } from '@lockstep/contract';
import type { ExchangeHandle } from '@lockstep/exchange';
import type { Membership } from '@lockstep/membership';
import { CollectiveError, LocalCollective, type Collective } from '@lockstep/reduction';
import type { MemberLink } from './member-link';
import { WatchedCollective } from './watched-collective';

/** How long survivors hold while nobody tells them how to go on. */
const HOLD_MS = 10 * 60_000;

export interface MembershipParts {
  readonly job: string;
  readonly token: Uint8Array;
  readonly link: MemberLink;
  readonly exchange: ExchangeHandle;
  /** Tells of a wait that people should know of. */
  readonly onHold: (what: string) => void;
}

export class ElasticMembership implements Membership {
  /** The assignment that was formed last. */
  current: Assignment | undefined;
  private formed = 0;

  constructor(private readonly parts: MembershipParts) {}

  /** Read before every step: so it shows that the compute thread goes on. */
  get changed(): boolean {
    this.parts.link.cells.step();
    return this.parts.link.cells.newestGeneration > this.formed;
  }

  get announced(): boolean {
    return this.parts.link.cells.announced;
  }

  form(why: CollectiveError | undefined): Collective {
    const { cells } = this.parts.link;
    // Who waits to be told how to go on does not hang.
    const { inCall } = cells;
    cells.inCall = false;
    try {
      return this.next(why);
    } finally {
      cells.inCall = inCall;
    }
  }

  equal(): void {
    this.parts.link.send({ case: 'ready', value: create(MemberReadySchema) });
  }

  private next(why: CollectiveError | undefined): Collective {
    const { link, onHold, job } = this.parts;
    if (why && this.current && link.cells.newestGeneration <= this.formed) {
      link.send({ case: 'suspended', value: create(MemberSuspendedSchema, { why: why.message, ranks: why.details.indirect === true ? [] : [...(why.details.ranks ?? [])], joinDeferred: why.reason === 'JOIN_DEFERRED' }) });
      onHold(`holds for the next generation: ${why.message}`);
    }
    const taken = link.takeAssignment(HOLD_MS);
    if (!taken) throw new CollectiveError('OVER', `${job}: no generation after ${this.formed} was assigned within ${HOLD_MS / 1000} s${why ? `; the last one ended: ${why.message}` : ''}`);
    if ('ended' in taken) throw new CollectiveError('OVER', taken.ended);
    const { assignment } = taken;
    this.current = assignment;
    this.formed = Number(assignment.generation?.number ?? 0n);
    return this.connect(assignment);
  }

  private connect({ spec, generation, rank }: Assignment): Collective {
    const replicas = spec?.replicas ?? 1;
    const members = generation?.members ?? [];
    if (members.length === 1) return new LocalCollective(replicas);
    const { cells } = this.parts.link;
    return new WatchedCollective(this.parts.exchange.form({
      job: this.parts.job, generation: generation?.number ?? 0n, rank, replicas, token: this.parts.token,
      members: members.map((m) => ({ rank: m.rank, address: m.exchangeAddress, range: { from: m.replicas?.from ?? 0, to: m.replicas?.to ?? 0 } })),
    }), cells);
  }
}
