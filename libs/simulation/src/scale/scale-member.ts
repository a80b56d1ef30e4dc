/** A member whose session is the simulation's, and whose training is its group's. */
import { MemberSession } from '../cluster/member-session';
import type { MemberCommand, MemberMessage } from '../cluster/messages';
import type { Port } from '../world/connection';
import type { Network } from '../world/network';
import type { SimProcess } from '../world/sim-process';
import type { ScaleGroup } from './scale-group';

const DIGEST = 'd'.repeat(64);

export class ScaleMember {
  private readonly session: MemberSession;

  constructor(private readonly process: SimProcess, network: Network, port: Port<MemberMessage, MemberCommand>, private readonly worker: string, child: string, private readonly group: ScaleGroup) {
    this.session = new MemberSession({
      process, network, port, hello: { worker, child, address: `${child}.example:41000` },
      obey: (command) => this.obey(command), onEnded: () => process.kill(),
    });
  }

  get alive(): boolean {
    return this.process.alive;
  }

  start(): void {
    this.session.connect();
  }

  equal(generation: number): void {
    this.process.run(() => this.session.state({ kind: 'ready', generation }));
  }

  applied(steps: number): void {
    const entry = { point: { call: 0, epoch: 0, step: steps - 1, kind: 'STEP' as const }, digest: DIGEST, books: { steps, rows: steps, tally: steps } };
    this.process.run(() => this.session.tell([entry]));
  }

  finish(steps: number): void {
    this.process.run(() => this.session.state({ kind: 'finished', report: { worker: this.worker, stateDigest: DIGEST, steps, hasModel: true } }));
  }

  private obey(command: MemberCommand): void {
    if (command.kind === 'ASSIGNMENT') this.group.form(this, command.assignment);
    if (command.kind === 'COMMIT_MODEL') this.session.state({ kind: 'modelCommitted', digest: DIGEST });
  }
}
