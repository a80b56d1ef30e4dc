/**
 * A member's end of the data plane in virtual time: takes and makes the connections of one generation after the other.
 *
 * A peer of an older generation is fenced; one of a newer generation waits for this member's own assignment.
 */
import { CollectiveError, type CollectiveErrorReason } from '@lockstep/reduction';
import type { End, Port } from '../world/connection';
import type { SimProcess } from '../world/sim-process';
import type { PeerMessage } from './peer-message';
import type { Plans } from './plans';
import { VirtualGroup, type Answer, type GroupIdentity, type GroupSettings } from './virtual-group';

const RETRY_MS = 100;

type PeerEnd = End<PeerMessage, PeerMessage>;

/** Finds whoever listens at an address. */
export type AddressBook = ReadonlyMap<string, Port<PeerMessage, PeerMessage>>;

interface Forming {
  readonly group: VirtualGroup;
  readonly answered: (answer: Answer<VirtualGroup>) => void;
}

export class VirtualExchange {
  private group: VirtualGroup | undefined;
  private forming: Forming | undefined;
  private readonly held = new Map<PeerEnd, { readonly generation: number; readonly rank: number }>();
  /** Lowest generation that is not over. */
  private lowest = 0;

  constructor(
    private readonly process: SimProcess,
    port: Port<PeerMessage, PeerMessage>,
    private readonly addresses: AddressBook,
    private readonly plans: Plans,
    private readonly settings: GroupSettings,
  ) {
    port.listen(process, (end) => {
      end.onMessage = (message) => {
        if (message.kind === 'HELLO') this.judge(end, message.generation, message.rank);
      };
      end.onClosed = () => this.held.delete(end);
    });
  }

  /** Joins a generation; answers when every pair that this member is in is connected. */
  form(identity: GroupIdentity, answered: (answer: Answer<VirtualGroup>) => void): void {
    const { generation } = identity;
    this.group?.cut(`generation ${generation} follows`);
    this.forming = undefined;
    if (generation < this.lowest) return answered({ kind: 'FAILED', error: failure('CLOSED', generation, `generation ${this.lowest} follows`) });
    const group = new VirtualGroup(identity, this.process, this.plans, this.settings);
    this.group = group;
    this.forming = { group, answered };
    for (const [end, { generation: theirs, rank }] of [...this.held]) {
      this.held.delete(end);
      this.judge(end, theirs, rank);
    }
    for (const member of identity.members) if (member.rank > identity.rank) this.dial(group, member.rank, member.address);
    this.process.after(this.settings.connectTimeoutMs, () => {
      if (this.forming?.group === group) this.giveUp(failure('DEADLINE', generation, `not connected to rank ${group.unconnected.join(', ')}`, group.unconnected));
    });
    return this.checkUp();
  }

  /** Generations below this one are over: whoever waits in one is told. */
  supersede(generation: number): void {
    if (generation <= this.lowest) return;
    this.lowest = generation;
    if (this.group && this.group.identity.generation < generation) this.abort(`generation ${generation} follows`);
  }

  /** Ends the running generation's work. */
  abort(why: string): void {
    if (this.forming) this.giveUp(failure('CLOSED', this.forming.group.identity.generation, why));
    else this.group?.fail(failure('CLOSED', this.group.identity.generation, why));
  }

  private dial(group: VirtualGroup, rank: number, address: string): void {
    const wanted = (): boolean => this.forming?.group === group;
    const again = (): void => this.process.after(RETRY_MS, () => {
      if (wanted()) this.dial(group, rank, address);
    });
    const port = this.addresses.get(address);
    if (!port) return again();
    return port.dial(this.process, (end) => {
      if (!wanted()) return end.close('too late');
      end.onClosed = again;
      end.onMessage = (message) => {
        if (message.kind === 'ADMITTED') {
          group.link(rank, end);
          this.checkUp();
        } else if (message.kind === 'REFUSED' && wanted()) {
          end.onClosed = () => undefined;
          this.giveUp(failure(message.reason === 'FENCED' ? 'FENCED' : 'PEER_LOST', group.identity.generation, `rank ${rank} answers: ${message.why}`, [rank]));
        }
      };
      return end.send({ kind: 'HELLO', generation: group.identity.generation, rank: group.rank });
    }, again);
  }

  private judge(end: PeerEnd, generation: number, rank: number): void {
    const own = this.group?.identity.generation ?? 0;
    if (generation > own) {
      this.held.set(end, { generation, rank });
      return;
    }
    if (generation < own || !this.group) return refuse(end, 'FENCED', `generation ${generation} is over: ${own} has begun`);
    if (this.forming?.group !== this.group) return refuse(end, 'LEFT', `generation ${generation} is closed here`);
    end.send({ kind: 'ADMITTED' });
    this.group.link(rank, end);
    return this.checkUp();
  }

  private checkUp(): void {
    const { forming } = this;
    if (!forming?.group.connected) return;
    this.forming = undefined;
    forming.answered({ kind: 'DONE', value: forming.group });
  }

  private giveUp(error: CollectiveError): void {
    const { forming } = this;
    this.forming = undefined;
    forming?.group.cut(error.message);
    forming?.answered({ kind: 'FAILED', error });
  }
}

const failure = (reason: CollectiveErrorReason, generation: number, what: string, ranks?: readonly number[]): CollectiveError =>
  new CollectiveError(reason, `generation ${generation}: ${what}`, { ...(ranks && { ranks }) });

function refuse(end: PeerEnd, reason: 'FENCED' | 'LEFT', why: string): void {
  end.send({ kind: 'REFUSED', reason, why });
  end.close(why);
}
