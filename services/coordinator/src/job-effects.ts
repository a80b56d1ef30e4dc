/** What follows from a decision, once it is stored: commands to agents and members, and fences at the artifact service. */
import { create } from '@bufbuild/protobuf';
import { toProgressPoint } from '@lockstep/client';
import { AssignmentSchema, type Assignment } from '@lockstep/contract';
import { callsToTell, isStanding, type JobEffect, type JobFailure, type JobInput } from '@lockstep/membership';
import type { AgentRegistry } from './agent-registry';
import { toGeneration } from './job-record';
import { durationMs, type LiveJob } from './live-job';

/** Announces generations to the artifact service, so that commits of an older one are refused. */
export interface Fence {
  advance(job: string, generation: number): Promise<void>;
}

export interface JobEffectsParts {
  readonly agents: AgentRegistry;
  readonly fence: Fence;
  readonly newId: () => string;
  readonly artifactAddress: string;
  /** Gives the machine what came of an effect. */
  readonly input: (job: string, input: JobInput) => void;
}

export class JobEffects {
  constructor(private readonly parts: JobEffectsParts) {}

  /** Carries out one effect of a move that is stored. */
  carryOut(job: LiveJob, effect: JobEffect): void {
    const { name, spec } = job.record.job;
    if (effect.kind === 'FENCE') return this.announce(job, effect.generation);
    const { worker } = effect;
    const session = job.sessions.get(worker);
    const generation = BigInt(isStanding(job.state) ? job.state.generation : 0);
    switch (effect.kind) {
      case 'START_CHILD':
        if (!this.parts.agents.startChild(worker, { job: name, child: this.parts.newId() }, { token: job.record.token, mathThreads: spec?.mathThreads ?? 1, stepTimeoutMs: spec?.stepTimeout ? Math.ceil(durationMs(spec.stepTimeout)) : 0 })) {
          this.parts.input(name, { kind: 'WORKER_LOST', worker, detail: 'its agent left before it could start its child' });
        }
        return undefined;
      case 'PREPARE':
        return session?.send({ case: 'assignment', value: create(AssignmentSchema, { ...this.description(job), finishedCalls: [...callsToTell(job.state, job.calls)] }) }, 0n);
      case 'ASSIGN': {
        const value = create(AssignmentSchema, {
          ...this.description(job), generation: toGeneration(effect.generation, effect.members), rank: effect.rank, checkpoint: job.checkpoint?.version ?? '', atBoundary: effect.atBoundary,
          ...(job.committed && { committed: toProgressPoint(job.committed) }),
        });
        return session?.send({ case: 'assignment', value }, BigInt(effect.generation));
      }
      case 'RELEASE':
        return session?.send({ case: 'release', value: { $typeName: 'lockstep.coordinator.v1.Release' } }, BigInt(effect.generation));
      case 'COMMIT_MODEL':
        // Only when older generations are fenced off. A failure has ended the job by then.
        void job.fenced.then(() => job.sessions.get(worker)?.send({ case: 'commitModel', value: { $typeName: 'lockstep.coordinator.v1.CommitModel' } }, generation), () => undefined);
        return undefined;
      case 'STOP_CHILD':
        job.sessions.delete(worker);
        session?.send({ case: 'abort', value: { $typeName: 'lockstep.coordinator.v1.Abort', reason: effect.reason } }, generation);
        session?.close();
        return this.parts.agents.stopChild(worker, name, effect.reason);
    }
  }

  /** What a member must know of its job, whatever its generation. */
  private description({ record }: LiveJob): Pick<Assignment, 'shardTables' | 'artifactAddress'> & Partial<Pick<Assignment, 'spec'>> {
    const { spec } = record.job;
    return { ...(spec && { spec }), shardTables: [...record.shardTables], artifactAddress: this.parts.artifactAddress };
  }

  /** Tells the artifact service of a generation. Not within a decision: the service may be slow, and others must not wait. */
  private announce(job: LiveJob, generation: number): void {
    const { name } = job.record.job;
    job.fenced = job.fenced.catch(() => undefined).then(() => this.parts.fence.advance(name, generation));
    job.fenced.catch((e: unknown) => {
      const failure: JobFailure = { reason: 'ARTIFACT_UNAVAILABLE', fault: 'CLUSTER', message: `the artifact service did not take note of generation ${generation}: ${e instanceof Error ? e.message : String(e)}` };
      this.parts.input(name, { kind: 'CLUSTER_FAILED', failure });
    });
  }
}
