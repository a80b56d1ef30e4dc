/** Jobs that are disturbed as a schedule says, on real processes. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactClient, type CoordinatorClient } from '@lockstep/client';
import type { JobEvent, TrainJob } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import type { LocalCluster } from './cluster';
import { moduleFile } from './fixtures';

/** A place in the module's run at which its process ends itself, as integration/modules/faults.ts has it. */
export interface ModuleFault {
  readonly worker: string;
  readonly phase: 'DATA' | 'COMPUTE' | 'REDUCE' | 'APPLY' | 'EVALUATE' | 'CALLBACK' | 'EXPORT';
  readonly count: number;
  readonly how?: 'HANG' | 'LEAVE' | 'KILL_CHIEF';
}

/** What is done to the cluster from outside, once so many steps are committed. */
export interface Action {
  readonly afterSteps: number;
  /** And so many checkpoints, which are written beside the steps. Default: 0. */
  readonly afterCheckpoints?: number;
  readonly what:
    | { readonly kind: 'KILL_COORDINATOR' }
    | { readonly kind: 'KILL_CHILD'; readonly worker: string }
    | { readonly kind: 'KILL_ALL_CHILDREN' }
    /** The largest file of the job's last checkpoint is cut short where the artifact service keeps it. */
    | { readonly kind: 'TRUNCATE_LAST_CHECKPOINT' }
    | { readonly kind: 'SUSPEND'; readonly worker: string }
    | { readonly kind: 'CONTINUE'; readonly worker: string }
    | { readonly kind: 'LEAVE'; readonly worker: string }
    /** Whoever calls it waits: an upload that has begun does not end. */
    | { readonly kind: 'SUSPEND_ARTIFACTS' }
    | { readonly kind: 'CONTINUE_ARTIFACTS' };
}

export interface Schedule {
  readonly workers: string;
  readonly faults?: readonly ModuleFault[];
  readonly actions?: readonly Action[];
  readonly flags?: readonly string[];
  /** Milliseconds that the module waits after each step. */
  readonly stepMs?: number;
}

/** The first step of a process is computed twice for one replica, to see whether the module can be repeated. */
const TRIALS_A_PROCESS = 1;

/** What became of a job, and all that was told of it. */
export interface FaultOutcome {
  readonly job: TrainJob;
  readonly events: readonly JobEvent['event'][];
  /** Gradient computations of all its processes, those of steps included that were done again, without each process's trial. */
  readonly computations: number;
}

/** The processes that a process has started. */
export function childrenOf(pid: number): readonly number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split('\n').map(Number).filter((child) => child > 0);
  } catch {
    return []; // ps says so by its exit code when there are none
  }
}

const WORKERS = ['w1', 'w2', 'w3'];

export class FaultRunner {
  private readonly suspended = new Map<string, readonly number[]>();

  constructor(private readonly cluster: LocalCluster, private readonly client: CoordinatorClient) {}

  /** Runs a job to its end while the schedule happens. */
  async run(output: string, { workers, faults = [], actions = [], flags = [], stepMs = 20 }: Schedule): Promise<FaultOutcome> {
    const marks = mkdtempSync(join(this.cluster.folder, 'marks-'));
    const computations = join(marks, 'computations');
    writeFileSync(computations, '');
    const config = JSON.stringify({ stepMs, computations, faults: faults.map((fault) => ({ ...fault, marks })) });
    const [submitted] = await this.cluster.json<{ name: string }>('train', moduleFile('faults'), '--examples', 'penguins', '--output', output, '--workers', workers, '--config', config, '--detach', ...flags);
    const name = submitted?.name ?? '';
    const events: JobEvent['event'][] = [];
    const left = [...actions];
    let steps = 0;
    const checkpoints: string[] = [];
    for await (const { event } of this.client.watch(name)) {
      events.push(event);
      if (event.case === 'stepsCommitted') steps += event.value.steps;
      if (event.case === 'checkpointCommitted') checkpoints.push(event.value.version);
      while (left[0] && steps >= left[0].afterSteps && checkpoints.length >= (left[0].afterCheckpoints ?? 0)) await this.act((left.shift() as Action).what, checkpoints.at(-1));
    }
    if (left.length > 0) throw new Error(`${name} ended after ${steps} steps, before ${JSON.stringify(left)}`);
    const lines = readFileSync(computations, 'utf8').split('\n').filter((line) => line !== '');
    return { job: await this.client.get(name), events, computations: lines.length - new Set(lines).size * TRIALS_A_PROCESS };
  }

  /** The pids of a worker's agent and of the child that it runs. */
  processesOf(worker: string): readonly number[] {
    const agent = this.pid(`worker-${worker.slice(1)}`);
    return [agent, ...childrenOf(agent)];
  }

  private async act(what: Action['what'], lastCheckpoint: string | undefined): Promise<void> {
    switch (what.kind) {
      case 'KILL_COORDINATOR':
        return this.signal([this.pid('coordinator')], 'SIGKILL');
      case 'KILL_CHILD':
        return this.signal(this.processesOf(what.worker).slice(1), 'SIGKILL');
      case 'KILL_ALL_CHILDREN':
        return this.signal(WORKERS.flatMap((worker) => this.processesOf(worker).slice(1)), 'SIGKILL');
      case 'TRUNCATE_LAST_CHECKPOINT':
        return this.truncate(lastCheckpoint ?? '');
      case 'SUSPEND':
        this.suspended.set(what.worker, this.processesOf(what.worker));
        return this.signal(this.processesOf(what.worker), 'SIGSTOP');
      case 'CONTINUE':
        return this.signal(this.suspended.get(what.worker) ?? [], 'SIGCONT');
      case 'SUSPEND_ARTIFACTS':
        return this.signal([this.pid('artifact')], 'SIGSTOP');
      case 'CONTINUE_ARTIFACTS':
        return this.signal([this.pid('artifact')], 'SIGCONT');
      case 'LEAVE':
        return this.signal([this.pid(`worker-${what.worker.slice(1)}`)], 'SIGTERM');
    }
  }

  /** By name and not by age: a job's checkpoint may be the very bytes of one that another job has left. */
  private async truncate(version: string): Promise<void> {
    const channel = openChannel(this.cluster.facts.artifact);
    try {
      const { entries } = await new ArtifactClient(channel).getVersion(version);
      const [largest] = entries.flatMap((entry) => entry.blobs).sort((a, b) => Number(b.sizeBytes - a.sizeBytes));
      if (!largest) throw new Error(`${version} has no bytes`);
      const file = join(this.cluster.facts.data, 'artifact', 'blobs', largest.sha256.slice(0, 2), largest.sha256);
      chmodSync(file, 0o600);
      truncateSync(file, Math.floor(Number(largest.sizeBytes) / 2));
    } finally {
      channel.close();
    }
  }

  /** Services that were started again have another process: the newest child of `up` with that role. */
  private pid(name: string): number {
    const pid = this.cluster.pidOf(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  private signal(pids: readonly number[], signal: NodeJS.Signals): void {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch (e) {
        if (!(e instanceof Error && 'code' in e && e.code === 'ESRCH')) throw e;
      }
    }
  }
}
