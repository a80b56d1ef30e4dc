/** The exchange thread's end of a member's session, as services/worker/src/child/session-thread.ts: opened again when it breaks. */
import { MemberOutbox, type Saying } from '@lockstep/membership';
import type { End, Port } from '../world/connection';
import type { Network } from '../world/network';
import type { SimProcess } from '../world/sim-process';
import type { MemberCommand, MemberMessage, MemberStatement, ProgressEntry } from './messages';

const HEARTBEAT_MS = 500;
const RECONNECT_MS = 200;
/** How long a member works on without a coordinator. */
const HOLD_MS = 10 * 60_000;
/** Few, so that simulated outages reach the bound. */
const MAX_ENTRIES = 24;

/** How a session ends that another try would not mend. */
export const FENCED = 'FENCED: ';

export interface SessionParts {
  readonly process: SimProcess;
  readonly network: Network;
  readonly port: Port<MemberMessage, MemberCommand>;
  readonly hello: { readonly worker: string; readonly child: string; readonly address: string };
  readonly obey: (command: MemberCommand) => void;
  /** This process has no part in the job any more. */
  readonly onEnded: (why: string) => void;
}

export class MemberSession {
  /** Number of the newest generation that this process was assigned to. */
  newestGeneration = 0;
  private readonly outbox = new MemberOutbox<MemberStatement, ProgressEntry>({
    pointOf: ({ point }) => point, maxEntries: MAX_ENTRIES,
    merge: (older, newer) => (older.point.kind === 'STEP' && newer.point.kind === 'STEP' ? newer : undefined),
  });
  private end: End<MemberCommand, MemberMessage> | undefined;
  private rejoins = false;
  private over = false;
  private heardMs: number;

  constructor(private readonly parts: SessionParts) {
    this.heardMs = parts.process.nowMs();
  }

  /** Opens it, and opens it again for as long as this process has a part in the job. */
  connect(): void {
    if (this.over) return;
    const { process, port, hello } = this.parts;
    port.dial(process, (end) => {
      this.end = end;
      end.onMessage = (command) => this.obey(command);
      end.onClosed = (why) => this.broken(why);
      end.send({ kind: 'HELLO', ...hello, rejoins: this.rejoins, generation: this.newestGeneration });
      this.say(this.outbox.again());
      process.every(HEARTBEAT_MS, () => {
        end.send({ kind: 'HEARTBEAT' });
        return end.open;
      });
    }, (why) => this.broken(why));
  }

  state(statement: MemberStatement): void {
    this.say(this.outbox.state(statement.kind, statement));
  }

  /** What is not committed as far as this member knows. */
  get open(): readonly ProgressEntry[] {
    return this.outbox.open;
  }

  tell(entries: readonly ProgressEntry[]): void {
    this.say(this.outbox.add(entries));
  }

  /** Nothing is said any more. */
  close(): void {
    this.over = true;
    this.end?.close('the member has ended');
  }

  private obey(command: MemberCommand): void {
    this.heardMs = this.parts.process.nowMs();
    switch (command.kind) {
      case 'COMMITTED':
        this.outbox.commit(command.point);
        return;
      case 'ASSIGNMENT': {
        const { generation, rank, committed } = command.assignment;
        // What is repeated after a break may be known.
        if (generation <= this.newestGeneration) return;
        this.newestGeneration = generation;
        this.parts.obey(command);
        this.say(this.outbox.assigned(rank, committed));
        return;
      }
      case 'ABORT':
        this.finish(command.reason);
        return;
      case 'RELEASE':
        if (command.generation <= this.newestGeneration) return;
        this.newestGeneration = command.generation;
        this.parts.obey(command);
        return;
      case 'PREPARE':
      case 'COMMIT_MODEL':
        this.parts.obey(command);
    }
  }

  private broken(why: string): void {
    const { process } = this.parts;
    // A session that lived was heard of until it broke.
    if (this.end) this.heardMs = process.nowMs();
    this.end = undefined;
    this.rejoins = true;
    if (this.over) return;
    if (why.startsWith(FENCED) || process.nowMs() - this.heardMs > HOLD_MS) this.finish(why);
    else process.after(RECONNECT_MS, () => this.connect());
  }

  private finish(why: string): void {
    if (this.over) return;
    this.over = true;
    this.parts.onEnded(why);
  }

  private say(sayings: readonly Saying<MemberStatement, ProgressEntry>[]): void {
    const { process, network } = this.parts;
    for (const saying of sayings) {
      const message: MemberMessage = saying.kind === 'STATEMENT' ? { kind: 'STATEMENT', statement: saying.statement } : { kind: 'PROGRESS', entries: saying.entries };
      this.end?.send(message);
      const againMs = network.repeatAfterMs();
      if (againMs !== undefined) process.after(againMs, () => this.end?.send(message));
    }
  }
}
