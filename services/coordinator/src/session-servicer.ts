/** The coordinator's side of agents' and members' sessions: translates messages, holds the streams, keeps the leases. */
import { create } from '@bufbuild/protobuf';
import {
  AgentCommandSchema, Fault, MemberCommandSchema, type SessionService,
  type AgentMessage, type JobError, type MemberCommand, type MemberMessage,
} from '@lockstep/contract';
import { LeaseTable, type Fault as DomainFault, type JobFailure } from '@lockstep/membership';
import { AsyncQueue, RpcError, type Logger, type ServiceImplementation } from '@lockstep/rpc';
import type { Agent } from './agent-registry';
import type { Coordinator } from './coordinator';
import type { MemberSession } from './live-job';
import { CoordinatorError } from './coordinator-error';

export interface SessionSettings {
  readonly heartbeatIntervalMs: number;
  readonly leaseMs: number;
  /** Lockstep's version: agents and members of another minor version are refused. */
  readonly version: string;
}

const MEMBER_COMMAND_LIMIT = 1000;
/** Messages of one session that may wait for the coordinator's decisions. */
const INBOX_LIMIT = 1000;
const CUT = 'LEAVING';
const DOMAIN_FAULTS: Record<Fault, DomainFault> = {
  [Fault.UNSPECIFIED]: 'MODULE', [Fault.MODULE]: 'MODULE', [Fault.WORKER]: 'WORKER', [Fault.DATA]: 'DATA', [Fault.CLUSTER]: 'CLUSTER',
};

interface OpenSession {
  readonly holder: 'AGENT' | 'MEMBER';
  readonly worker: string;
  /** Ends the stream because its holder has been silent. */
  expire(silentMs: number): void;
}

/** Why a session ended, and whether its holder has been silent for too long. */
class SilenceError extends CoordinatorError {}

export class SessionServicer {
  private readonly leases: LeaseTable;
  private readonly open = new Map<string, OpenSession>();
  private sessionCount = 0;

  constructor(
    private readonly coordinator: Coordinator,
    private readonly settings: SessionSettings,
    private readonly nowMs: () => number,
    private readonly logger: Logger,
  ) {
    this.leases = new LeaseTable(settings.leaseMs);
  }

  readonly implementation: ServiceImplementation<typeof SessionService> = {
    attach: (messages, { signal }) => this.attach(messages, signal),
    join: (messages, { signal }) => this.join(messages, signal),
  };

  /** Ends the sessions of those that have been silent for too long; to be called several times a lease. */
  checkLeases(): void {
    for (const { holder, silentMs } of this.leases.expired(this.nowMs())) {
      this.leases.forget(holder);
      this.open.get(holder)?.expire(silentMs);
    }
  }

  /** How long the member of each worker has not been heard of, milliseconds. What its agent says is no sign of life of its child. */
  silence(): ReadonlyMap<string, number> {
    const silentMs = new Map<string, number>();
    for (const [key, { holder, worker }] of this.open) {
      const ms = holder === 'MEMBER' ? this.leases.silentMs(key, this.nowMs()) : undefined;
      if (ms !== undefined) silentMs.set(worker, Math.min(ms, silentMs.get(worker) ?? Infinity));
    }
    return silentMs;
  }

  private async *attach(messages: AsyncIterable<AgentMessage>, signal: AbortSignal): AsyncGenerator<ReturnType<typeof create<typeof AgentCommandSchema>>> {
    const iterator = messages[Symbol.asyncIterator]();
    const first = await this.first(iterator, 'an agent', 'register');
    if (first.done || first.value.message.case !== 'register') throw new CoordinatorError('PROTOCOL', 'the first message of an agent must be register');
    const register = first.value.message.value;
    this.checkVersion(register.worker, register.version);
    const agent = this.coordinator.agents.attach(register, this.nowMs());
    if (!agent) throw new CoordinatorError('WORKER_NAME_TAKEN', `${register.worker} is attached already: give this worker another --name`, { resource: register.worker });
    this.logger.info({ worker: agent.worker, host: register.host }, 'worker attached');
    const key = this.lease('AGENT', agent.worker, agent.commands, `no heartbeat of ${agent.worker}`);
    endWith(signal, agent.commands);
    let detail = `its agent's session ended (process ${register.pid} on ${register.host})`;
    let lost = false;
    const reading = this.readAgent(agent, this.hear(iterator, key, agent.worker)).catch((e: unknown) => { detail = `${detail}: ${messageOf(e)}`; }).finally(() => agent.commands.close());
    try {
      yield create(AgentCommandSchema, { command: { case: 'registered', value: { heartbeatIntervalMs: this.settings.heartbeatIntervalMs, leaseMs: this.settings.leaseMs } } });
      yield* agent.commands;
    } catch (e) {
      if (!isCut(e)) detail = messageOf(e);
      lost = e instanceof SilenceError;
    } finally {
      this.release(key);
      this.coordinator.agents.detach(agent);
      void reading;
      this.logger.info({ worker: agent.worker }, `worker detached: ${detail}`);
      await this.coordinator.agentGone(agent.worker, detail, lost);
    }
  }

  private async readAgent(agent: Agent, messages: AsyncIterable<AgentMessage>): Promise<void> {
    await this.coordinator.agentAttached(agent.worker, agent.child);
    for await (const { message } of messages) {
      if (message.case === 'childExited') {
        const { job, child, exitCode, signal, stderrTail } = message.value;
        const how = signal === '' ? `with code ${exitCode}` : `by ${signal}`;
        const tail = stderrTail === '' ? '' : `; it last wrote: ${stderrTail.trim()}`;
        await this.coordinator.childExited(agent.worker, job, child, `its child process was ended ${how}${tail}`);
      } else if (message.case === 'leaving') {
        await this.coordinator.agentLeaving(agent.worker);
      }
    }
  }

  private async *join(messages: AsyncIterable<MemberMessage>, signal: AbortSignal): AsyncGenerator<MemberCommand> {
    const iterator = messages[Symbol.asyncIterator]();
    const first = await this.first(iterator, 'a member', 'hello');
    if (first.done || first.value.message.case !== 'hello') throw new CoordinatorError('PROTOCOL', 'the first message of a member must be hello');
    const hello = first.value.message.value;
    this.checkVersion(hello.worker, hello.version);
    const commands = new AsyncQueue<MemberCommand>(MEMBER_COMMAND_LIMIT, `${hello.worker} in ${hello.job}`);
    const session: MemberSession = {
      job: hello.job, worker: hello.worker, address: hello.exchangeAddress,
      send: (command, generation) => commands.push(create(MemberCommandSchema, { command, generation })),
      close: () => commands.close(),
    };
    const key = this.lease('MEMBER', hello.worker, commands, `no heartbeat of ${hello.worker}'s child`);
    endWith(signal, commands);
    let detail = 'the session of its child process ended';
    let lost = false;
    const inbox = this.hear(iterator, key, `${hello.worker} in ${hello.job}`);
    try {
      await this.coordinator.join(hello, Number(first.value.generation), session);
      const reading = this.readMember(session, inbox).then(() => commands.close(), (e: unknown) => commands.close(e instanceof Error ? e : new Error(String(e))));
      yield* commands;
      void reading;
    } catch (e) {
      if (!isCut(e)) detail = messageOf(e);
      lost = e instanceof SilenceError;
      throw e;
    } finally {
      this.release(key);
      this.coordinator.sessionEnded(session, detail, lost);
    }
  }

  private async readMember(session: MemberSession, messages: AsyncIterable<MemberMessage>): Promise<void> {
    for await (const { generation: number, message } of messages) {
      const generation = Number(number);
      switch (message.case) {
        case 'heartbeat':
          if (message.value.activity) this.coordinator.memberActive(session, message.value.activity);
          break;
        case 'ready':
          await this.coordinator.memberReady(session, generation);
          break;
        case 'progress':
          await this.coordinator.memberProgress(session, message.value.entries);
          break;
        case 'prepared':
          await this.coordinator.memberPrepared(session);
          break;
        case 'suspended':
          await this.coordinator.memberSuspended(session, generation, message.value.why, message.value.ranks, message.value.joinDeferred);
          break;
        case 'checkpoint':
          await this.coordinator.memberCheckpoint(session, message.value);
          break;
        case 'finished':
          await this.coordinator.memberFinished(session, message.value);
          break;
        case 'modelCommitted':
          if (message.value.result) await this.coordinator.modelCommitted(session, message.value.result);
          break;
        case 'failed':
          if (message.value.error) await this.coordinator.memberFailed(session, message.value.error, toFailure(session, message.value.error));
          break;
        case 'hello':
        case undefined:
          throw new CoordinatorError('PROTOCOL', `${session.worker} sent ${message.case ?? 'an unknown message'} in the middle of its session`);
      }
    }
  }

  /** The message that a session begins with. @throws CoordinatorError SILENT when it does not come within a lease */
  private async first<T>(messages: AsyncIterator<T>, whose: string, what: string): Promise<IteratorResult<T>> {
    const { leaseMs } = this.settings;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new CoordinatorError('SILENT', `${whose} opened a session and did not send ${what} within ${leaseMs} ms: it may open another`)), leaseMs);
    });
    try {
      return await Promise.race([messages.next(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A session's messages in order. They are heard when they come, however long the decision about the one before takes. */
  private hear<T>(messages: AsyncIterator<T>, key: string, name: string): AsyncIterable<T> {
    const inbox = new AsyncQueue<T>(INBOX_LIMIT, `decisions about ${name}`);
    const listen = async (): Promise<void> => {
      for (let next = await messages.next(); !next.done; next = await messages.next()) {
        if (this.open.has(key)) this.leases.heard(key, this.nowMs());
        inbox.push(next.value);
      }
    };
    listen().then(() => inbox.close(), (e: unknown) => inbox.close(e instanceof Error ? e : new Error(String(e))));
    return inbox;
  }

  private checkVersion(worker: string, version: string): void {
    const minor = (v: string): string => v.split('.').slice(0, 2).join('.');
    if (minor(version) === minor(this.settings.version)) return;
    throw new CoordinatorError('VERSION_MISMATCH', `${worker} runs Lockstep ${version}, the coordinator ${this.settings.version}: install the same on both`, { resource: worker });
  }

  private lease(holder: OpenSession['holder'], worker: string, commands: { close(failure?: Error): void }, what: string): string {
    const key = `session-${++this.sessionCount}`;
    this.leases.heard(key, this.nowMs());
    this.open.set(key, { holder, worker, expire: (silentMs) => commands.close(new SilenceError('FENCED', `${what} for ${Math.round(silentMs)} ms (the lease is ${this.settings.leaseMs} ms)`)) });
    return key;
  }

  private release(key: string): void {
    this.leases.forget(key);
    this.open.delete(key);
  }
}

/** Ends a stream of commands when its call is cancelled, or this process leaves. */
function endWith(signal: AbortSignal, commands: { close(failure?: Error): void }): void {
  const end = (): void => commands.close(new RpcError('UNAVAILABLE', 'the coordinator leaves, or the call was cancelled', { reason: CUT }));
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
}

/** Whether a call was cut from outside: that says nothing of its client but that it is gone. */
const isCut = (e: unknown): boolean => e instanceof RpcError && e.details.reason === CUT;

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

function toFailure(session: MemberSession, error: JobError): JobFailure {
  return { reason: error.reason, message: error.message, fault: DOMAIN_FAULTS[error.fault], worker: session.worker, rank: error.rank };
}
