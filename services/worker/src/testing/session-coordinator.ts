import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { AgentCommandSchema, MemberCommandSchema, SessionService, type AgentCommand, type AgentMessage, type MemberCommand, type MemberMessage } from '@lockstep/contract';
import { AsyncQueue, createLogger, implement, startServer, type RunningServer } from '@lockstep/rpc';

/** One call as the coordinator's side of it: what came, and what is answered. */
export class ServedSession<M extends { readonly message: { readonly case?: string | undefined } }, C> {
  private readonly inbox: AsyncIterator<M, undefined>;

  constructor(messages: AsyncIterable<M>, readonly replies: AsyncQueue<C>) {
    this.inbox = messages[Symbol.asyncIterator]() as AsyncIterator<M, undefined>;
  }

  /** The next message that is none of these. @throws Error when the client has ended its side */
  async next(...skipped: readonly (string | undefined)[]): Promise<M> {
    for (;;) {
      const { done, value } = await this.inbox.next();
      if (done) throw new Error('the client has ended its side');
      if (!skipped.includes(value.message.case)) return value;
    }
  }

  say(reply: C): void {
    this.replies.push(reply);
  }

  /** Ends the call: as a coordinator does that leaves, or with a refusal. */
  end(error?: Error): void {
    this.replies.close(error);
  }
}

export type AgentSession = ServedSession<AgentMessage, AgentCommand>;
export type JoinedSession = ServedSession<MemberMessage, MemberCommand>;

/** The coordinator's side of sessions on a real port, driven by a test. */
export class SessionCoordinator {
  /** Calls in the order in which they came. */
  readonly calls: { attach: number; join: number } = { attach: 0, join: 0 };
  private readonly attached = new AsyncQueue<AgentSession>(100, 'attached agents');
  private readonly joined = new AsyncQueue<JoinedSession>(100, 'joined members');
  private readonly nextAttached = this.attached[Symbol.asyncIterator]();
  private readonly nextJoined = this.joined[Symbol.asyncIterator]();
  private server: RunningServer | undefined;

  /** @param listen with a port to come back where it was */
  async start(listen = '127.0.0.1:0'): Promise<string> {
    const serve = <M extends AgentMessage | MemberMessage, C>(messages: AsyncIterable<M>, sessions: AsyncQueue<ServedSession<M, C>>, signal: AbortSignal): AsyncIterable<C> => {
      const replies = new AsyncQueue<C>(100, 'replies');
      signal.addEventListener('abort', () => replies.close());
      sessions.push(new ServedSession(messages, replies));
      return replies;
    };
    this.server = await startServer({
      listen, logger: createLogger('coordinator-test', 'silent'),
      services: [implement(SessionService, {
        attach: (messages, { signal }) => {
          this.calls.attach++;
          return serve(messages, this.attached, signal);
        },
        join: (messages, { signal }) => {
          this.calls.join++;
          return serve(messages, this.joined, signal);
        },
      })],
    });
    return this.server.address;
  }

  async stop(): Promise<void> {
    await this.server?.drain(0);
  }

  async agent(): Promise<AgentSession> {
    return (await this.nextAttached.next()).value as AgentSession;
  }

  async member(): Promise<JoinedSession> {
    return (await this.nextJoined.next()).value as JoinedSession;
  }
}

export const agentCommand = (command: NonNullable<MessageInitShape<typeof AgentCommandSchema>['command']>): AgentCommand => create(AgentCommandSchema, { command });

export const memberCommand = (generation: number, command: NonNullable<MessageInitShape<typeof MemberCommandSchema>['command']>): MemberCommand =>
  create(MemberCommandSchema, { generation: BigInt(generation), command });

/** An assignment to a generation, or, without members, to prepare for one. */
export const assignment = (generation: number, rank = 0, members = 2, atBoundary = false): MemberCommand => memberCommand(generation, { case: 'assignment', value: {
  rank, atBoundary, spec: { replicas: 4 },
  ...(members > 0 && { generation: { number: BigInt(generation), members: Array.from({ length: members }, (_, i) => ({ rank: i, worker: `workers/${i}`, exchangeAddress: `h:${i}` })) } }),
} });
