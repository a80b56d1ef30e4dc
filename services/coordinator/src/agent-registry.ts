import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { AsyncQueue } from '@lockstep/rpc';
import {
  AgentCommandSchema, WorkerSchema, WorkerState,
  type AgentCommand, type AgentRegister, type StartChild, type Worker,
} from '@lockstep/contract';

/** Commands that may wait for an agent before its stream counts as stuck. */
const COMMAND_LIMIT = 1000;

/** The child that an agent runs. */
export interface RunningChild {
  readonly job: string;
  /** Names the process. */
  readonly child: string;
}

/** An attached agent. */
export interface Agent {
  readonly worker: string;
  readonly register: AgentRegister;
  readonly attachMs: number;
  readonly commands: AsyncQueue<AgentCommand>;
  child: RunningChild | undefined;
  /** Takes no more jobs. */
  leaving: boolean;
}

/** The workers that are attached now. A worker is free when its last child has exited. */
export class AgentRegistry {
  private readonly agents = new Map<string, Agent>();

  /** @returns undefined when a live agent already has the name. */
  attach(register: AgentRegister, nowMs: number): Agent | undefined {
    if (this.agents.has(register.worker)) return undefined;
    const agent: Agent = {
      worker: register.worker, register, attachMs: nowMs, commands: new AsyncQueue(COMMAND_LIMIT, register.worker), leaving: false,
      child: register.child && { job: register.child.job, child: register.child.child },
    };
    this.agents.set(agent.worker, agent);
    return agent;
  }

  /** Forgets an agent, unless another has taken its name since. */
  detach(agent: Agent): void {
    if (this.agents.get(agent.worker) === agent) this.agents.delete(agent.worker);
    agent.commands.close();
  }

  get(worker: string): Agent | undefined {
    return this.agents.get(worker);
  }

  /** Names of the workers without a child, in a stable order. */
  free(): readonly string[] {
    return [...this.agents.values()].filter((a) => !a.child && !a.leaving).map((a) => a.worker).sort();
  }

  /** @returns false when the agent is gone */
  startChild(worker: string, child: RunningChild, start: Pick<StartChild, 'token' | 'mathThreads' | 'stepTimeoutMs'>): boolean {
    const agent = this.agents.get(worker);
    if (!agent) return false;
    agent.child = child;
    agent.commands.push(create(AgentCommandSchema, { command: { case: 'startChild', value: { ...child, ...start } } }));
    return true;
  }

  /** Ends the child that a worker runs for a job, if it runs one. */
  stopChild(worker: string, job: string, reason: string): void {
    const agent = this.agents.get(worker);
    if (agent?.child?.job !== job) return;
    agent.commands.push(create(AgentCommandSchema, { command: { case: 'stopChild', value: { ...agent.child, reason } } }));
  }

  list(): readonly Worker[] {
    return [...this.agents.values()].sort((a, b) => (a.worker < b.worker ? -1 : 1)).map(({ worker, register, attachMs, child }) => create(WorkerSchema, {
      name: worker, state: child ? WorkerState.BUSY : WorkerState.IDLE, job: child?.job ?? '', host: register.host, pid: register.pid,
      ...(register.fingerprint && { fingerprint: register.fingerprint }), version: register.version, attachTime: timestampFromMs(attachMs),
    }));
  }
}
