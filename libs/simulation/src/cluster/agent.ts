/** The agent of a worker, as services/worker/src/agent.ts: starts one child at a time, and reports how it ended. */
import type { End, Port } from '../world/connection';
import type { SimProcess } from '../world/sim-process';
import type { AgentCommand, AgentMessage } from './messages';

const RECONNECT_MS = 500;
const HEARTBEATS_A_LEASE = 6;
const MAX_TAKEN_TRIES = 10;
/** What a stopped child may take to end by itself. */
const STOP_MS = 20;
const KILL_AFTER_MS = 2000;
/** How long a leaving worker's job may take to go on without it. */
const LEAVE_MS = 10_000;

export const NAME_TAKEN = 'WORKER_NAME_TAKEN: ';

export interface AgentParts {
  readonly process: SimProcess;
  readonly worker: string;
  readonly coordinator: Port<AgentMessage, AgentCommand>;
  readonly leaseMs: number;
  /** Starts the process of a child; it lives and dies by itself. */
  readonly spawn: (child: string) => SimProcess;
}

export class Agent {
  private child: { readonly name: string; readonly process: SimProcess } | undefined;
  private end: End<AgentCommand, AgentMessage> | undefined;
  /** How the last child ended, while nobody was there to be told. */
  private untold: AgentMessage | undefined;
  private takenTries = 0;
  private leaving = false;

  constructor(private readonly parts: AgentParts) {
    // The agent holds the other end of its child's standard input: the child ends with it.
    parts.process.onDeath((death) => this.child?.process.kill(death));
  }

  get childProcess(): SimProcess | undefined {
    return this.child?.process;
  }

  open(): void {
    if (this.leaving) return;
    const { process, coordinator, worker, leaseMs } = this.parts;
    coordinator.dial(process, (end) => {
      this.end = end;
      end.onMessage = (command) => this.obey(end, command);
      end.onClosed = (why) => this.broken(why);
      end.send({ kind: 'REGISTER', worker, child: this.child?.name });
      process.every(leaseMs / HEARTBEATS_A_LEASE, () => {
        end.send({ kind: 'HEARTBEAT' });
        return end.open;
      });
    }, (why) => this.broken(why));
  }

  /** It is told to end: its job is to go on without it. */
  leave(): void {
    const { process } = this.parts;
    if (this.leaving) return;
    this.leaving = true;
    this.end?.send({ kind: 'LEAVING' });
    const goneAt = process.nowMs() + LEAVE_MS;
    process.every(50, () => {
      if (this.child && process.nowMs() < goneAt) return true;
      this.end?.close('the agent leaves');
      process.kill();
      return false;
    });
  }

  private obey(end: End<AgentCommand, AgentMessage>, command: AgentCommand): void {
    switch (command.kind) {
      case 'REGISTERED':
        this.takenTries = 0;
        if (this.untold) end.send(this.untold);
        this.untold = undefined;
        return;
      case 'START_CHILD':
        // It waits for the last one to be gone, which the coordinator has heard of already.
        if (!this.child) this.start(command.child);
        return;
      case 'STOP_CHILD':
        if (this.child?.name === command.child) this.stop(this.child.process);
    }
  }

  private start(name: string): void {
    const process = this.parts.spawn(name);
    this.child = { name, process };
    process.onDeath((death) => this.parts.process.run(() => {
      if (this.child?.process === process) this.child = undefined;
      const told: AgentMessage = { kind: 'CHILD_EXITED', child: name, detail: `its child process was ended (${death})` };
      if (this.end) this.end.send(told);
      else this.untold = told;
    }));
  }

  /** Asks it to end, and makes it after a moment: a process that is paused does not answer. */
  private stop(child: SimProcess): void {
    const { process } = this.parts;
    process.after(STOP_MS, () => {
      if (!child.paused) child.kill();
    });
    process.after(KILL_AFTER_MS, () => child.kill());
  }

  private broken(why: string): void {
    const { process } = this.parts;
    this.end = undefined;
    this.takenTries = why.startsWith(NAME_TAKEN) ? this.takenTries + 1 : 0;
    // The name may be that of this worker's own last session, which lives for a lease.
    if (this.takenTries > MAX_TAKEN_TRIES) process.kill();
    else process.after(RECONNECT_MS, () => this.open());
  }
}
