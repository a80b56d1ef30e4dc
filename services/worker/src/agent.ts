/**
 * The agent of one accelerator: attaches to the coordinator, heartbeats, starts one child at a time, and reports how it
 * ended. When its session breaks, its child works on, and it attaches again.
 */
import { create } from '@bufbuild/protobuf';
import { AgentMessageSchema, SessionService, type AgentMessage, type NumericsFingerprint, type StartChild } from '@lockstep/contract';
import { AsyncQueue, createClient, openChannel, RpcError, type Logger } from '@lockstep/rpc';
import { join } from 'node:path';
import type { AgentConfig } from './agent-config';
import { ChildRunner } from './child-process';

const OUTGOING_LIMIT = 1000;
const RECONNECT_MS = 500;
const MAX_TAKEN_TRIES = 10;

/** Scratch folders of a worker's jobs: of its own, since workers of one machine may share a data folder. */
export const workFolder = (config: AgentConfig): string => join(config.dataFolder, 'work', config.worker.replace('/', '-'));

export class Agent {
  private child: { readonly runner: ChildRunner; readonly name: string; readonly job: string } | undefined;
  /** Resolves when nothing of the last child is left. */
  private last: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  /** How the last child ended, while nobody was there to be told. */
  private untold: AgentMessage['message'] | undefined;
  private send: ((message: AgentMessage['message']) => void) | undefined;

  constructor(
    private readonly config: AgentConfig,
    private readonly fingerprint: NumericsFingerprint,
    private readonly version: string,
    private readonly logger: Logger,
  ) {}

  /** Runs until stop(); rejects with the coordinator's refusal when another try would not change it. */
  async run(onAttached: () => void): Promise<void> {
    let takenTries = 0;
    let toldAway = false;
    const attached = (): void => {
      takenTries = 0;
      toldAway = false;
      onAttached();
    };
    while (!this.stopping.signal.aborted) {
      const channel = openChannel(this.config.coordinator);
      try {
        await this.session(createClient(SessionService, channel), attached);
      } catch (e) {
        const error = RpcError.from(e);
        const { reason = '' } = error.details;
        // The name may be that of this worker's own last session, which lives for a lease.
        if (reason === 'WORKER_NAME_TAKEN') takenTries++;
        if (reason === 'VERSION_MISMATCH' || takenTries > MAX_TAKEN_TRIES) throw error;
        // Once an absence: it tries twice a second.
        if (!this.stopping.signal.aborted && !toldAway) this.logger.warn(`the session with the coordinator at ${this.config.coordinator} ended; it attaches again: ${error.message}`);
        toldAway = true;
      } finally {
        channel.close();
      }
      if (!this.stopping.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
    this.child?.runner.stop();
    await this.child?.runner.ended;
  }

  /** Ends the session; a job that runs here is told to go on without this worker, and its child ends. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child && this.send) {
      this.send({ case: 'leaving', value: { $typeName: 'lockstep.coordinator.v1.AgentLeaving' } });
      await Promise.race([child.runner.exited, new Promise((resolve) => setTimeout(resolve, this.config.leaveTimeoutMs).unref())]);
    }
    this.stopping.abort();
  }

  private async session(client: ReturnType<typeof createClient<typeof SessionService>>, onAttached: () => void): Promise<void> {
    const outgoing = new AsyncQueue<AgentMessage>(OUTGOING_LIMIT, this.config.worker);
    const send = (message: AgentMessage['message']): void => outgoing.push(create(AgentMessageSchema, { message }));
    send({ case: 'register', value: {
      $typeName: 'lockstep.coordinator.v1.AgentRegister', worker: this.config.worker, host: this.config.host, pid: process.pid,
      fingerprint: this.fingerprint, version: this.version,
      ...(this.child && { child: { $typeName: 'lockstep.coordinator.v1.RunningChild', job: this.child.job, child: this.child.name } }),
    } });
    let heartbeat: NodeJS.Timeout | undefined;
    try {
      for await (const { command } of client.attach(outgoing, { signal: this.stopping.signal })) {
        switch (command.case) {
          case 'registered':
            heartbeat = setInterval(() => send({ case: 'heartbeat', value: { $typeName: 'lockstep.coordinator.v1.Heartbeat' } }), command.value.heartbeatIntervalMs);
            onAttached();
            this.send = send;
            if (this.untold) send(this.untold);
            this.untold = undefined;
            break;
          case 'startChild':
            await this.start(command.value);
            break;
          case 'stopChild':
            if (this.child?.name === command.value.child) {
              this.logger.info({ job: command.value.job }, `stops its child: ${command.value.reason}`);
              this.child.runner.stop();
            }
            break;
          case undefined:
            this.logger.warn('the coordinator sent a command that this version does not know');
        }
      }
    } finally {
      this.send = undefined;
      clearInterval(heartbeat);
      outgoing.close();
    }
  }

  private async start(command: StartChild): Promise<void> {
    // Its scratch folder goes with it.
    await this.last;
    const { job, token, mathThreads, stepTimeoutMs, child: name } = command;
    const runner = await ChildRunner.start({
      job, worker: this.config.worker, child: name, token: Buffer.from(token).toString('base64'), coordinator: this.config.coordinator, host: this.config.host,
      cacheFolder: join(this.config.dataFolder, 'cache'), workFolder: join(workFolder(this.config), job.replace('/', '-')), mathThreads, stepTimeoutMs,
    }, (why) => this.logger.warn({ job }, `${why}; it is tried again`));
    this.child = { runner, name, job };
    this.last = runner.ended;
    this.logger.info({ job, pid: runner.pid }, 'started a child');
    void runner.exited.then((exit) => {
      if (this.child?.runner === runner) this.child = undefined;
      this.logger.info({ job, code: exit.code, signal: exit.signal }, 'its child ended');
      const told: AgentMessage['message'] = { case: 'childExited', value: {
        $typeName: 'lockstep.coordinator.v1.ChildExited', job, child: name, exitCode: exit.code, signal: exit.signal, stderrTail: exit.stderrTail,
      } };
      if (this.send) this.send(told);
      else this.untold = told;
    });
  }
}
