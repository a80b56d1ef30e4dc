import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { evenPart } from '@lockstep/reduction';
import type { ExchangeGroup } from '../group/exchange-group';
import type { ExchangeOptions } from '../options';
import type { MemberCommand, MemberReply } from './member-protocol';

/** A member process and the line to it. */
export class MemberFork {
  private readonly child: ChildProcess;
  private readonly replies: ((reply: MemberReply) => void)[] = [];
  readonly exited: Promise<unknown>;
  address = '';

  constructor() {
    const beside = path.join(__dirname, 'member-process.js');
    this.child = fork(fs.existsSync(beside) ? beside : path.join(__dirname, '..', '..', 'dist', 'testing', 'member-process.js'), { serialization: 'advanced', execArgv: [] });
    this.exited = once(this.child, 'exit');
    this.child.on('message', (reply: MemberReply) => this.replies.shift()?.(reply));
    this.child.once('exit', (code, signal) => {
      for (const resolve of this.replies.splice(0)) resolve({ error: { name: 'Exit', message: `the member process ended with ${signal ?? code}` } });
    });
  }

  static async create(options: ExchangeOptions): Promise<MemberFork> {
    const member = new MemberFork();
    const { address } = await member.expect({ kind: 'CREATE', options });
    member.address = address ?? '';
    return member;
  }

  /** Sends a command and gives the reply, be it an error. */
  ask(command: MemberCommand): Promise<MemberReply> {
    return new Promise((resolve) => {
      this.replies.push(resolve);
      this.child.send(command);
    });
  }

  /** @throws Error when the reply is an error */
  async expect(command: MemberCommand): Promise<MemberReply> {
    const reply = await this.ask(command);
    if (reply.error) throw new Error(`${command.kind}: ${reply.error.name} ${reply.error.message}`);
    return reply;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** The group of some members, as one of them sees it: replicas dealt evenly. */
export const groupOf = (members: readonly MemberFork[], rank: number, replicas: number, generation = 1n): ExchangeGroup => ({
  job: 'jobs/test', generation, rank, replicas, token: Buffer.from('secret'),
  members: members.map(({ address }, i) => ({ rank: i, address, range: evenPart(replicas, members.length, i) })),
});

/** Starts members and connects them. */
export async function forkGroup(worldSize: number, replicas: number, options: ExchangeOptions = {}): Promise<readonly MemberFork[]> {
  const members = await Promise.all(Array.from({ length: worldSize }, () => MemberFork.create(options)));
  await Promise.all(members.map((member, rank) => member.expect({ kind: 'CONFIGURE', group: groupOf(members, rank, replicas) })));
  return members;
}
