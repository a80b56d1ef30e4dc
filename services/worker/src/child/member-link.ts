/**
 * The member's session as its two threads see it: the compute thread posts messages and takes commands, the exchange
 * thread holds the stream, so that heartbeats go on while the compute thread is busy.
 */
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { MemberCommandSchema, MemberMessageSchema, type Assignment, type MemberCommand, type MemberMessage } from '@lockstep/contract';
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { LinkCells } from './link-cells';

/** What crosses the port between the threads. */
export type LinkMessage =
  | { readonly kind: 'OPEN'; readonly coordinator: string; readonly cells: SharedArrayBuffer; readonly stepTimeoutMs: number; readonly bytes: Uint8Array }
  | { readonly kind: 'MEMBER_MESSAGE'; readonly bytes: Uint8Array }
  | { readonly kind: 'COMMAND'; readonly bytes: Uint8Array }
  | { readonly kind: 'ENDED'; readonly message: string };

/** What the coordinator wants of a member that has nothing to compute. */
export type Errand =
  /** A generation waits to be formed. */
  | { readonly kind: 'REGROUP' }
  | { readonly kind: 'COMMIT_MODEL'; readonly generation: bigint }
  | { readonly kind: 'ENDED'; readonly reason: string };

/** The compute thread's end. */
export class MemberLink {
  readonly cells = new LinkCells();
  private assignment: Assignment | undefined;
  private commitFor: bigint | undefined;
  private committedFor: bigint | undefined;
  private endedBecause: string | undefined;
  private readonly waiting = new Set<() => void>();
  private generation = 0n;
  /** Called when the coordinator ends this member's part, or the session is lost for good. */
  onEnded: (reason: string) => void = () => undefined;

  constructor(private readonly port: MessagePort) {
    port.on('message', (message: LinkMessage) => this.receive(message));
  }

  /** @param stepTimeoutMs how long the compute thread may take for a step */
  open(coordinator: string, stepTimeoutMs: number, hello: MemberMessage['message']): void {
    this.post({ kind: 'OPEN', coordinator, stepTimeoutMs, cells: this.cells.memory, bytes: this.encode(hello) });
  }

  send(message: MemberMessage['message']): void {
    this.post({ kind: 'MEMBER_MESSAGE', bytes: this.encode(message) });
  }

  /** The first assignment: to a generation, or to prepare for one. @throws Error when the session ended before */
  async firstAssignment(): Promise<Assignment> {
    for (;;) {
      const { assignment } = this;
      if (assignment) {
        // One to prepare for is not to be formed.
        if ((assignment.generation?.members.length ?? 0) === 0) this.assignment = undefined;
        return assignment;
      }
      if (this.endedBecause !== undefined) throw new Error(this.endedBecause);
      await this.news();
    }
  }

  /** What is to be done next by a member that has finished, once there is something. */
  async nextErrand(): Promise<Errand> {
    for (;;) {
      if (this.endedBecause !== undefined) return { kind: 'ENDED', reason: this.endedBecause };
      if (this.assignment) return { kind: 'REGROUP' };
      if (this.commitFor !== undefined) {
        const generation = this.commitFor;
        this.commitFor = undefined;
        return { kind: 'COMMIT_MODEL', generation };
      }
      await this.news();
    }
  }

  /**
   * Blocks until there is an assignment to a generation, and takes it: only the newest counts.
   *
   * @returns what ended the session instead, in words; undefined when the deadline passed
   */
  takeAssignment(timeoutMs: number): { readonly assignment: Assignment } | { readonly ended: string } | undefined {
    return this.cells.waitFor(() => {
      for (let next = receiveMessageOnPort(this.port); next; next = receiveMessageOnPort(this.port)) this.receive(next.message as LinkMessage);
      if (this.endedBecause !== undefined) return { ended: this.endedBecause };
      const { assignment } = this;
      if (!assignment) return undefined;
      this.assignment = undefined;
      return { assignment };
    }, performance.now() + timeoutMs);
  }

  private receive(message: LinkMessage): void {
    switch (message.kind) {
      case 'COMMAND':
        this.take(fromBinary(MemberCommandSchema, message.bytes));
        break;
      case 'ENDED':
        this.end(message.message);
        break;
      case 'OPEN':
      case 'MEMBER_MESSAGE':
        break;
    }
    for (const wake of [...this.waiting]) wake();
  }

  private take({ generation, command }: MemberCommand): void {
    switch (command.case) {
      case 'assignment':
        this.generation = generation;
        this.assignment = command.value;
        break;
      case 'commitModel':
        // Said again after a break; the model of a generation is committed once.
        if (generation !== this.committedFor) this.commitFor = generation;
        this.committedFor = generation;
        break;
      case 'abort':
        this.end(command.value.reason);
        break;
      case 'committed':
      case 'release':
      case undefined:
        break;
    }
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        resolve();
      };
      this.waiting.add(wake);
    });
  }

  private end(reason: string): void {
    if (this.endedBecause !== undefined) return;
    this.endedBecause = reason;
    this.onEnded(reason);
  }

  private encode(message: MemberMessage['message']): Uint8Array {
    return toBinary(MemberMessageSchema, create(MemberMessageSchema, { generation: this.generation, message }));
  }

  private post(message: LinkMessage): void {
    this.port.postMessage(message);
  }
}
