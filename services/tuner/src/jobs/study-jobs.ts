/** What the service does with studies whose trials are jobs: finds them in a module, checks them, runs them. */
import type { JobEvaluation, StudySpec } from '@lockstep/contract';
import { RpcError } from '@lockstep/rpc';
import { defaultValues, WHOLE, type KnownSpace, type Violation } from '@lockstep/search';
import type { StoredStudy } from '../store/study-store';
import { discoverStudy } from './discovery';
import type { JobRunner } from './job-runner';
import type { Jobs } from './jobs';
import { trialJob } from './trial-job';

export interface StudyJobs {
  discover(evaluation: JobEvaluation, requestId: string | undefined, signal: AbortSignal): Promise<StudySpec>;
  /** Has the coordinator look at the job of a trial; what it refuses goes into the violations. @throws RpcError UNAVAILABLE */
  check(evaluation: JobEvaluation, space: KnownSpace, violations: Violation[]): Promise<void>;
  /** A study is new, or was given more to do. */
  take(stored: StoredStudy): void;
}

const FIELD = 'spec.jobs.template';

export const studyJobs = (jobs: Jobs, runner: JobRunner): StudyJobs => ({
  discover: (evaluation, requestId, signal) => discoverStudy(jobs, evaluation, requestId, signal),
  check: async ({ template }, space, violations) => {
    if (!template) violations.push({ field: FIELD, description: 'is required: module, examples, output' });
    if (space.kind === 'DISCOVERING') violations.push({ field: 'spec.space', description: 'has to be known before jobs can try it: DiscoverStudy finds it' });
    if (!template || space.kind === 'DISCOVERING') return;
    try {
      await jobs.submit(trialJob(template, space.space, { values: defaultValues(space.space), fidelity: WHOLE }, undefined), { validateOnly: true });
    } catch (e) {
      if (!(e instanceof RpcError) || !e.details.fieldViolations) throw e;
      violations.push(...e.details.fieldViolations.map(({ field, description }) => ({ field: field.replace(/^spec\b/, FIELD), description })));
    }
  },
  take: (stored) => runner.take(stored),
});

/** Of a tuner that was told of no coordinator: its studies are evaluated by clients. */
export const NO_JOBS: StudyJobs = {
  discover: () => Promise.reject(new RpcError('UNAVAILABLE', 'this tuner knows no coordinator that could run a module: start it with --coordinator HOST:PORT', { reason: 'NO_COORDINATOR' })),
  check: (_, __, violations) => {
    violations.push({ field: 'spec.jobs', description: 'this tuner knows no coordinator to run them: start it with --coordinator HOST:PORT, or leave jobs out and evaluate with SuggestTrials' });
    return Promise.resolve();
  },
  take: () => undefined,
};
