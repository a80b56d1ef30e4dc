/** The coordinator's public rpcs: translates requests, checks them, answers. */
import { create } from '@bufbuild/protobuf';
import {
  type CoordinatorService, ListTrainJobsResponseSchema, ListWorkersResponseSchema, TrainJobSchema,
  type JobEvent, type WatchJobRequest,
} from '@lockstep/contract';
import type { CallContext, ServiceImplementation } from '@lockstep/rpc';
import type { Coordinator } from './coordinator';
import { CoordinatorError } from './coordinator-error';
import { jobHasEnded } from './job-record';
import type { JobStore } from './job-store';
import { checkSubmission, type Catalog } from './submission';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
const EVENT_BATCH = 500;
const JOB_NAME = /^jobs\/[a-z0-9-]{1,64}$/;

export function coordinatorServicer(coordinator: Coordinator, store: JobStore, catalog: Catalog): ServiceImplementation<typeof CoordinatorService> {
  return {
    createTrainJob: async ({ spec, requestId, validateOnly }) => {
      const submission = await checkSubmission(spec, catalog);
      return validateOnly ? create(TrainJobSchema, { spec: submission.spec }) : coordinator.submit(submission, requestId);
    },
    getTrainJob: async ({ name }) => (await coordinator.require(jobName(name))).job,
    listTrainJobs: async ({ pageSize, pageToken, states }) => {
      const cursor = decodeToken(pageToken);
      const page = await store.list({ pageSize: pageSizeOf(pageSize), states, ...(cursor !== undefined && { cursor }) });
      return create(ListTrainJobsResponseSchema, { jobs: [...page.jobs], nextPageToken: encodeToken(page.nextCursor) });
    },
    cancelTrainJob: ({ name }) => coordinator.cancel(jobName(name)),
    watchJob: (request, context) => watch(coordinator, store, request, context),
    listWorkers: ({ pageSize, pageToken }) => {
      const after = decodeToken(pageToken) ?? '';
      const rest = coordinator.agents.list().filter((w) => w.name > after);
      const workers = rest.slice(0, pageSizeOf(pageSize));
      const last = rest.length > workers.length ? workers.at(-1)?.name : undefined;
      return create(ListWorkersResponseSchema, { workers, nextPageToken: encodeToken(last) });
    },
  };
}

/** Events from the log until the job has ended and its last event is told. */
async function* watch(coordinator: Coordinator, store: JobStore, request: WatchJobRequest, { signal }: CallContext): AsyncGenerator<JobEvent> {
  const name = jobName(request.name);
  let after = request.afterSequence;
  while (!signal.aborted) {
    // The state is read before the log: what ended the job is in the log by then.
    const { job } = await coordinator.require(name);
    const events = await store.readEvents(name, after, EVENT_BATCH);
    for (const event of events) {
      after = event.sequence;
      yield event;
    }
    if (events.length === EVENT_BATCH) continue;
    if (jobHasEnded(job)) return;
    await store.waitForEvents(name, after, signal);
  }
}

function jobName(name: string): string {
  if (!JOB_NAME.test(name)) throw new CoordinatorError('INVALID_NAME', `"${name}" is not the name of a job: jobs/{job}`, { violations: [{ field: 'name', description: 'must be jobs/{job}' }] });
  return name;
}

const pageSizeOf = (wanted: number): number => (wanted <= 0 ? DEFAULT_PAGE_SIZE : Math.min(wanted, MAX_PAGE_SIZE));

const encodeToken = (cursor: string | undefined): string => (cursor === undefined ? '' : Buffer.from(cursor).toString('base64url'));

function decodeToken(token: string): string | undefined {
  if (token === '') return undefined;
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new CoordinatorError('INVALID_PAGE_TOKEN', 'the page_token is not one that this service gave', { violations: [{ field: 'page_token', description: 'must come from next_page_token' }] });
  return Buffer.from(token, 'base64url').toString();
}
