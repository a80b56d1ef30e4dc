/** The coordinator's public rpcs: translates requests, checks them, answers. */
import { create } from '@bufbuild/protobuf';
import {
  type CoordinatorService, ListShardTablesResponseSchema, ListTrainJobsResponseSchema, ListWorkersResponseSchema, TrainJobSchema,
  type JobEvent, type WatchJobRequest,
} from '@lockstep/contract';
import { RpcError, type CallContext, type ServiceImplementation } from '@lockstep/rpc';
import { cutPage, decodePageToken, resolvePageSize, type PageQuery } from '@lockstep/storage';
import type { Coordinator } from './coordinator';
import { CoordinatorError } from './coordinator-error';
import { isEndState, jobHasEnded } from './job-record';
import type { JobStore } from './job-store';
import { checkSubmission, type Catalog } from './submission';

const EVENT_BATCH = 500;
const JOB_NAME = /^jobs\/[a-z0-9-]{1,64}$/;

export function coordinatorServicer(coordinator: Coordinator, store: JobStore, catalog: Catalog): ServiceImplementation<typeof CoordinatorService> {
  return {
    createTrainJob: async ({ spec, requestId, validateOnly }) => {
      const submission = await checkSubmission(spec, catalog);
      return validateOnly ? create(TrainJobSchema, { spec: submission.spec }) : coordinator.submit(submission, requestId);
    },
    getTrainJob: ({ name }) => coordinator.show(jobName(name)),
    listTrainJobs: async ({ pageSize, pageToken, states }) => {
      const query = { rpc: 'ListTrainJobs', states: states.map(String) };
      const size = pageSizeOf(pageSize);
      const before = after(query, pageToken);
      const rows = await store.list({ limit: size + 1, states, ...(before !== undefined && { before: Number(before) }) });
      const page = cutPage(query, rows, size, (row) => row.order);
      return create(ListTrainJobsResponseSchema, { jobs: page.rows.map((row) => row.job), nextPageToken: page.nextPageToken });
    },
    cancelTrainJob: ({ name }) => coordinator.cancel(jobName(name)),
    listShardTables: async ({ name }) => create(ListShardTablesResponseSchema, { shardTables: [...(await coordinator.require(jobName(name))).shardTables] }),
    watchJob: (request, context) => watch(coordinator, store, request, context),
    listWorkers: ({ pageSize, pageToken }) => {
      const query = { rpc: 'ListWorkers' };
      const size = pageSizeOf(pageSize);
      const last = after(query, pageToken) ?? '';
      const page = cutPage(query, coordinator.agents.list().filter((w) => w.name > last).slice(0, size + 1), size, (w) => w.name);
      return create(ListWorkersResponseSchema, { workers: [...page.rows], nextPageToken: page.nextPageToken });
    },
  };
}

/** Events from the log until the job has ended and its last event is told. */
async function* watch(coordinator: Coordinator, store: JobStore, request: WatchJobRequest, { signal }: CallContext): AsyncGenerator<JobEvent> {
  const name = jobName(request.name);
  // The state is read before the log: of a job that has ended, all events are in the log by now.
  const { job } = await coordinator.require(name);
  if (jobHasEnded(job)) {
    let last = request.afterSequence;
    for (;;) {
      const events = await store.readEvents(name, last, EVENT_BATCH);
      yield* events;
      last = events.at(-1)?.sequence ?? last;
      if (events.length < EVENT_BATCH) return;
    }
  }
  for await (const event of store.watchEvents(name, request.afterSequence, signal)) {
    yield event;
    if (event.event.case === 'stateChanged' && isEndState(event.event.value.state)) return;
  }
  throw new RpcError('UNAVAILABLE', `the coordinator leaves and ${name} has not ended: watch it again after the last event seen`, { reason: 'LEAVING' });
}

function jobName(name: string): string {
  if (!JOB_NAME.test(name)) throw new CoordinatorError('INVALID_NAME', `"${name}" is not the name of a job: jobs/{job}`, { violations: [{ field: 'name', description: 'must be jobs/{job}' }] });
  return name;
}

function pageSizeOf(requested: number): number {
  const size = resolvePageSize(requested);
  if (size === undefined) throw new CoordinatorError('INVALID_ARGUMENT', 'page_size must not be negative', { violations: [{ field: 'page_size', description: 'must not be negative' }] });
  return size;
}

/** The key after which a page begins; undefined on the first. */
function after(query: PageQuery, token: string): string | undefined {
  const decoded = decodePageToken(query, token);
  switch (decoded.kind) {
    case 'START': return undefined;
    case 'AFTER': return decoded.key;
    case 'INVALID':
      throw new CoordinatorError('INVALID_ARGUMENT', 'the page_token is not one that this list gave for the same query', { violations: [{ field: 'page_token', description: 'must be the next_page_token of the page before' }] });
  }
}
