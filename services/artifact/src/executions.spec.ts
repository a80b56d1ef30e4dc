import { ExecutionState } from '@lockstep/contract';
import { removeTemporaryFolders } from '@lockstep/storage/testing';
import { sha256Of } from '@lockstep/versions';
import { entryOf, failure, serve, writeBlob, type Served } from './testing/served';

removeTemporaryFolders();
const data = Buffer.from('data');
let served: Served;
beforeAll(async () => {
  served = await serve();
  await writeBlob(served, data);
  await served.client.commitVersion({ artifact: 'artifacts/penguins', type: 'Examples', entries: [entryOf('f', data)] });
});
afterAll(() => served.stop());
const model = (execution: string, artifact = 'artifacts/model', outputKey = '') => served.client.commitVersion({ artifact, type: 'Model', entries: [entryOf('f', data)], execution, outputKey });

test('an execution links what it read and what it made, typed, both ways', async () => {
  const begun = await served.client.createExecution({
    execution: { type: 'TrainJob', specDigest: sha256Of('spec'), inputs: [{ key: 'examples', version: 'artifacts/penguins/versions/latest' }], labels: [{ key: 'b', value: '1' }, { key: 'a', value: '2' }] }, executionId: 'job-1',
  });
  expect(begun).toMatchObject({
    name: 'executions/job-1', state: ExecutionState.RUNNING, specDigest: sha256Of('spec'), labels: [{ key: 'a' }, { key: 'b' }],
    inputs: [{ key: 'examples', version: 'artifacts/penguins/versions/1', type: 'Examples' }], outputs: [],
  });
  const { version } = await model('executions/job-1');
  expect(version?.execution).toBe('executions/job-1');
  const done = await served.client.completeExecution({ name: 'executions/job-1', state: ExecutionState.SUCCEEDED, detail: 'fine', outputs: [{ key: 'data', version: 'artifacts/penguins/versions/1' }] });
  expect(done).toMatchObject({
    state: ExecutionState.SUCCEEDED, detail: 'fine', outputs: [{ key: 'Model', version: 'artifacts/model/versions/1', type: 'Model' }, { key: 'data', version: 'artifacts/penguins/versions/1', type: 'Examples' }],
  });
  expect(done.endTime).toBeDefined();
  expect((await served.client.listExecutions({ output: 'artifacts/model/versions/1' })).executions.map((e) => e.name)).toEqual(['executions/job-1']);
  expect((await served.client.listExecutions({ input: 'artifacts/penguins/versions/1' })).executions).toEqual([done]);
  expect(await served.client.getExecution({ name: 'executions/job-1' })).toEqual(done);
});

test('content that exists becomes an output of the second execution that makes it', async () => {
  await served.client.createExecution({ execution: { type: 'TrainJob' }, executionId: 'first' });
  await served.client.createExecution({ execution: { type: 'TrainJob' }, executionId: 'second' });
  await model('executions/first', 'artifacts/twice', 'model');
  const again = await model('executions/second', 'artifacts/twice', 'model');
  expect([again.created, again.version?.execution]).toEqual([false, 'executions/first']);
  const makers = await served.client.listExecutions({ output: again.version?.name ?? '' });
  expect(makers.executions.map((e) => e.name)).toEqual(['executions/second', 'executions/first']);
});

test('ending is idempotent in the same state and refused in another; afterwards nothing is committed for it', async () => {
  await served.client.createExecution({ execution: { type: 'TrainJob' }, executionId: 'over' });
  const end = (state: ExecutionState) => served.client.completeExecution({ name: 'executions/over', state });
  const first = await end(ExecutionState.FAILED);
  expect(await end(ExecutionState.FAILED)).toEqual(first);
  expect(await failure(end(ExecutionState.SUCCEEDED))).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'EXECUTION_ENDED' } });
  expect(await failure(model('executions/over', 'artifacts/late'))).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'EXECUTION_ENDED' } });
  expect((await failure(served.client.getArtifact({ name: 'artifacts/late' }))).code).toBe('NOT_FOUND');
});

test('a request id begins one execution; an id that is taken is refused', async () => {
  const begin = (type: string, requestId: string) => served.client.createExecution({ execution: { type }, requestId });
  const first = await begin('TrainJob', 'once');
  expect(first.name).toMatch(/^executions\/[0-9a-f-]{36}$/);
  expect((await begin('TrainJob', 'once')).name).toBe(first.name);
  expect((await failure(begin('Trial', 'once'))).details.reason).toBe('REQUEST_ID_REUSED');
  expect(await failure(served.client.createExecution({ execution: { type: 'T' }, executionId: first.name.slice(11) }))).toMatchObject({ code: 'ALREADY_EXISTS', details: { reason: 'EXECUTION_EXISTS' } });
});

test('an execution with an input that does not exist does not begin', async () => {
  const error = await failure(served.client.createExecution({ execution: { type: 'T', inputs: [{ key: 'x', version: 'artifacts/penguins/versions/9' }] }, executionId: 'never' }));
  expect(error).toMatchObject({ code: 'NOT_FOUND', details: { reason: 'VERSION_NOT_FOUND' } });
  expect(error.message).toContain('the newest version of penguins is 1');
  expect((await failure(served.client.getExecution({ name: 'executions/never' }))).code).toBe('NOT_FOUND');
});

test('a commit for an execution that does not exist leaves no version', async () => {
  expect((await failure(model('executions/nobody', 'artifacts/orphan'))).code).toBe('NOT_FOUND');
  expect((await failure(served.client.getArtifact({ name: 'artifacts/orphan' }))).code).toBe('NOT_FOUND');
});

test('all faults of a request arrive in one answer', async () => {
  const begin = await failure(served.client.createExecution({ execution: { type: '1', specDigest: 'x', inputs: [{ key: '', version: 'v' }], labels: [{ key: '', value: '' }] }, executionId: '-', requestId: ' ' }));
  expect(begin.details.fieldViolations?.map((v) => v.field)).toEqual(['execution.type', 'execution.spec_digest', 'execution_id', 'execution.inputs[0].key', 'execution.inputs[0].version', 'execution.labels[0].key', 'request_id']);
  const end = await failure(served.client.completeExecution({ name: '', detail: 'x'.repeat(5000), outputs: [{ key: 'k', version: '' }] }));
  expect(end.details.fieldViolations?.map((v) => v.field)).toEqual(['name', 'state', 'detail', 'outputs[0].version']);
});

test('pages are newest first and keep their filter', async () => {
  for (let i = 0; i < 3; i++) await served.client.createExecution({ execution: { type: 'Paged', inputs: [{ key: 'x', version: 'artifacts/penguins/versions/1' }] }, executionId: `paged-${i}` });
  const input = 'artifacts/penguins/versions/1';
  const first = await served.client.listExecutions({ pageSize: 2, input });
  expect(first.executions.map((e) => e.name)).toEqual(['executions/paged-2', 'executions/paged-1']);
  const second = await served.client.listExecutions({ pageSize: 2, input, pageToken: first.nextPageToken });
  expect(second.executions[0]?.name).toBe('executions/paged-0');
  expect((await failure(served.client.listExecutions({ pageToken: first.nextPageToken }))).details.fieldViolations?.[0]?.field).toBe('page_token');
});
