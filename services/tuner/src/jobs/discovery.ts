import { JobState, type JobEvaluation, type StudySpec } from '@lockstep/contract';
import { RpcError } from '@lockstep/rpc';
import { discoveredSpec } from './discovered-spec';
import type { Jobs } from './jobs';
import { discoveryJob } from './trial-job';

/**
 * Has a job run the module's tunerFn once, and says what study it describes.
 *
 * @param requestId makes a repeated request wait for the same job
 * @throws RpcError INVALID_ARGUMENT for a template that the coordinator refuses; FAILED_PRECONDITION (DISCOVERY_FAILED) with the job's error
 */
export async function discoverStudy(jobs: Jobs, evaluation: JobEvaluation, requestId: string | undefined, signal: AbortSignal): Promise<StudySpec> {
  if (!evaluation.template) throw new RpcError('INVALID_ARGUMENT', 'jobs.template is required: the job that runs the module', { fieldViolations: [{ field: 'jobs.template', description: 'is required' }] });
  const { name } = await jobs.submit(discoveryJob(evaluation.template), requestId === undefined ? {} : { requestId }).catch((e: unknown) => { throw inTemplate(e); });
  try {
    for await (const _ of jobs.watch(name, undefined, signal)) if (signal.aborted) break;
  } finally {
    // Nobody waits for it any more.
    if (signal.aborted) await jobs.cancel(name);
  }
  if (signal.aborted) throw new RpcError('CANCELLED', `the request ended before ${name}`);
  const job = await jobs.get(name);
  if (job.state === JobState.SUCCEEDED && job.result?.tuner.case === 'discovery') return discoveredSpec(job.result.tuner.value, evaluation);
  const error = job.error?.message ?? (job.state === JobState.CANCELLED ? 'it was cancelled' : 'it told nothing');
  throw new RpcError('FAILED_PRECONDITION', `${name} did not find what the module tunes: ${error}`, {
    reason: 'DISCOVERY_FAILED', metadata: { job: name, ...(job.error && { jobReason: job.error.reason }) }, resource: { type: 'TrainJob', name },
  });
}

/** The coordinator's refusal, in the words of a request to the tuner. */
export function inTemplate(e: unknown): unknown {
  if (!(e instanceof RpcError) || !e.details.fieldViolations) return e;
  const fieldViolations = e.details.fieldViolations.map(({ field, description }) => ({ field: field.replace(/^spec\b/, 'jobs.template'), description }));
  return new RpcError(e.code, e.message, { ...e.details, fieldViolations }, { cause: e });
}
