/**
 * The member's session as its two threads see it: the compute thread posts messages and takes commands, the exchange
 * thread holds the stream, so that heartbeats go on while the compute thread is busy.
 */
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { MemberCommandSchema, MemberMessageSchema, type MemberCommand, type MemberMessage } from '@lockstep/contract';
import type { MessagePort } from 'node:worker_threads';

/** What crosses the port between the threads. */
export type LinkMessage =
  | { readonly kind: 'OPEN'; readonly coordinator: string; readonly bytes: Uint8Array }
  | { readonly kind: 'MEMBER_MESSAGE'; readonly bytes: Uint8Array }
  | { readonly kind: 'COMMAND'; readonly bytes: Uint8Array }
  | { readonly kind: 'ENDED'; readonly message: string };

/** The compute thread's end. */
export class MemberLink {
  private readonly waiting: ((command: MemberCommand['command']) => void)[] = [];
  private readonly arrived: MemberCommand['command'][] = [];
  private endedBecause: string | undefined;
  private readonly failures: ((e: Error) => void)[] = [];
  private generation = 0n;
  /** Called when the coordinator ends the generation, or the session is lost. */
  onAbort: (reason: string) => void = () => undefined;

  constructor(private readonly port: MessagePort) {
    port.on('message', (message: LinkMessage) => {
      if (message.kind === 'COMMAND') this.take(fromBinary(MemberCommandSchema, message.bytes));
      else if (message.kind === 'ENDED') this.end(message.message);
    });
  }

  open(coordinator: string, hello: MemberMessage['message']): void {
    this.post({ kind: 'OPEN', coordinator, bytes: this.encode(hello) });
  }

  send(message: MemberMessage['message']): void {
    this.post({ kind: 'MEMBER_MESSAGE', bytes: this.encode(message) });
  }

  /** The next command. @throws Error when the session has ended, with the reason */
  next(): Promise<MemberCommand['command']> {
    const ready = this.arrived.shift();
    if (ready) return Promise.resolve(ready);
    if (this.endedBecause !== undefined) return Promise.reject(new Error(this.endedBecause));
    return new Promise((resolve, reject) => {
      this.waiting.push(resolve);
      this.failures.push(reject);
    });
  }

  private take({ generation, command }: MemberCommand): void {
    this.generation = generation;
    if (command.case === 'abort') return this.end(command.value.reason);
    const waiting = this.waiting.shift();
    this.failures.shift();
    if (waiting) waiting(command);
    else this.arrived.push(command);
  }

  private end(reason: string): void {
    if (this.endedBecause !== undefined) return;
    this.endedBecause = reason;
    this.onAbort(reason);
    for (const reject of this.failures.splice(0)) reject(new Error(reason));
  }

  private encode(message: MemberMessage['message']): Uint8Array {
    return toBinary(MemberMessageSchema, create(MemberMessageSchema, { generation: this.generation, message }));
  }

  private post(message: LinkMessage): void {
    this.port.postMessage(message);
  }
}
