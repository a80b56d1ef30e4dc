/** Studies whose trials are jobs: what the coordinator is asked for, what comes of it, and that nothing is lost whoever dies. */
import { create } from '@bufbuild/protobuf';
import { ExecutionSchema, Fault, JobState, Sampler, VersionSchema, type Study } from '@lockstep/contract';
import { RpcError } from '@lockstep/rpc';
import { removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import { FakeJobs, type FakeJob } from '../testing/fake-jobs';
import type { ResultArtifacts } from './results';
import { failure, serve, spec, type Served } from '../testing/served';

removeTemporaryFolders();

let served: Served | undefined;
afterEach(async () => {
  await served?.stop();
  served = undefined;
});

/** An artifact service that keeps texts. */
class FakeArtifacts implements ResultArtifacts {
  readonly files: { readonly type: string; readonly path: string; readonly text: string }[] = [];
  readonly executions: { type: string; inputs: unknown; done: boolean }[] = [];

  async putFiles([file]: Parameters<ResultArtifacts['putFiles']>[0], { artifact, type }: Parameters<ResultArtifacts['putFiles']>[1]): ReturnType<ResultArtifacts['putFiles']> {
    if (!file) throw new Error('no file');
    const bytes = await (await file.open()).read(0, file.sizeBytes);
    this.files.push({ type, path: file.path, text: Buffer.from(bytes).toString() });
    return { version: create(VersionSchema, { name: `${artifact}/versions/1` }), created: true, uploadedBytes: file.sizeBytes };
  }

  beginExecution({ type, inputs = [] }: Parameters<ResultArtifacts['beginExecution']>[0]): ReturnType<ResultArtifacts['beginExecution']> {
    this.executions.push({ type, inputs, done: false });
    return Promise.resolve(create(ExecutionSchema, { name: `executions/${this.executions.length}` }));
  }

  completeExecution(name: string): ReturnType<ResultArtifacts['completeExecution']> {
    const execution = this.executions[Number(name.slice('executions/'.length)) - 1];
    if (execution) execution.done = true;
    return Promise.resolve(create(ExecutionSchema, { name }));
  }
}

const TEMPLATE = { module: 'artifacts/m/versions/1', examples: ['artifacts/e/versions/1'], output: 'artifacts/trials', replicas: 4, seed: 7n };
const JOBS = { template: TEMPLATE };

async function start(jobs: FakeJobs, folder?: string): Promise<Served> {
  served = await serve({ jobs, ...(folder !== undefined && { folder }) });
  return served;
}

/** The study as it is when it is over. */
async function over({ client }: Served, name: string): Promise<Study> {
  const leave = new AbortController();
  for await (const { event } of client.watch(name, 0n, leave.signal)) {
    if (event.case === 'updated' && event.value.state.case !== 'active') break;
  }
  leave.abort();
  return client.get(name);
}

/** Waits for the n-th job that was submitted. */
async function submitted(jobs: FakeJobs, count: number): Promise<FakeJob> {
  for (;;) {
    const job = jobs.submitted[count - 1];
    if (job) return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => { while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5)); };

const values = (job: Pick<FakeJob, 'trial'>): Record<string, number> => (JSON.parse(job.trial.hyperparametersJson) as { values: Record<string, number> }).values;

test('each trial is a job of the template, with its values; its epochs are measurements, its outcome the score, its checkpoint noted', async () => {
  const jobs = new FakeJobs((job) => {
    const loss = Number(values(job)['lr']);
    job.epoch(0, { val_loss: loss + 1, loss: 3 });
    job.epoch(1, { val_loss: loss, loss: 2 });
    job.succeed('val_loss', [loss + 1, loss]);
  });
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 4, jobs: JOBS }));
  const study = await over(at, name);
  expect(study).toMatchObject({ state: { case: 'completed' }, trials: { succeeded: 4 }, spec: { maxParallelTrials: 1, jobs: { template: TEMPLATE } } });
  expect(jobs.submitted.map((job) => ({ ...job.spec, tuner: undefined }))).toEqual(jobs.submitted.map((): unknown => expect.objectContaining(TEMPLATE)));
  const [best] = await at.client.best(name, 1);
  const lowest = Math.min(...jobs.submitted.map((job) => Number(values(job)['lr'])));
  expect(best?.state).toMatchObject({ case: 'succeeded', value: { scores: [lowest] } });
  const trial = await at.client.getTrial(`${name}/trials/2`);
  expect(trial).toMatchObject({ job: 'jobs/2', checkpoint: 'artifacts/trials/versions/2', attempts: 1 });
  expect(trial.measurements.map(({ epoch, execution, metrics }) => [epoch, execution, metrics.map((m) => m.name)])).toEqual([[1, 0, ['val_loss', 'loss']], [2, 0, ['val_loss', 'loss']]]);
});

test('a promoted trial goes on from the checkpoint of its parent', async () => {
  const jobs = new FakeJobs((job) => job.succeed('val_loss', [Number(values(job)['lr'])]));
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ algorithm: { case: 'hyperband', value: { maxEpochs: 9 } }, jobs: JOBS }));
  const study = await over(at, name);
  expect(study.state.case).toBe('completed');
  let promoted = 0;
  for (const { spec: { tuner }, trial } of jobs.submitted) {
    expect(tuner?.part.case).toBe('trial');
    if (trial.initialEpoch === 0) {
      expect(trial.startFrom).toBe('');
      continue;
    }
    promoted++;
    const parent = jobs.submitted.find((one) => `artifacts/trials/versions/${one.job.name.slice(5)}` === trial.startFrom);
    expect([parent?.trial.epochs, parent && values(parent)]).toEqual([trial.initialEpoch, values({ trial })]);
  }
  expect(promoted).toBeGreaterThan(3);
});

test('as many run at once as may', async () => {
  const jobs = new FakeJobs();
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 5, maxParallelTrials: 3, jobs: JOBS }));
  await submitted(jobs, 3);
  expect((await at.client.get(name)).trials).toMatchObject({ running: 3 });
  for (let i = 0; i < 5; i++) (await submitted(jobs, i + 1)).succeed('val_loss', [i]);
  expect((await over(at, name)).trials).toMatchObject({ succeeded: 5 });
});

test('a tuner that comes back takes up its trials where their jobs are; none is submitted twice', async () => {
  const folder = temporaryFolder();
  const jobs = new FakeJobs();
  const before = await start(jobs, folder);
  const { name } = await before.client.create(spec({ maxTrials: 2, maxParallelTrials: 2, jobs: JOBS }));
  const first = await submitted(jobs, 1);
  const second = await submitted(jobs, 2);
  first.epoch(0, { val_loss: 3 });
  await until(async () => (await before.client.getTrial(`${name}/trials/0`)).measurements.length === 1);
  await before.stop();
  first.epoch(1, { val_loss: 2 });
  first.succeed('val_loss', [3, 2]);
  const after = await start(jobs, folder);
  await until(async () => (await after.client.getTrial(`${name}/trials/0`)).state.case === 'succeeded');
  second.epoch(0, { val_loss: 1 });
  second.succeed('val_loss', [1]);
  expect((await over(after, name)).trials).toMatchObject({ succeeded: 2 });
  expect(jobs.submitted).toHaveLength(2);
  expect((await after.client.getTrial(`${name}/trials/0`)).measurements.map(({ epoch }) => epoch)).toEqual([1, 2]);
});

/** What a job's run says of a space: the study's own parameters, and what it met besides. */
function found(job: FakeJob, name: string, kind: 'Int' | 'Float', value: number): string {
  const { space, values: own } = JSON.parse(job.trial.hyperparametersJson) as { space: unknown[]; values: Record<string, number> };
  const config = { name, default: value, conditions: [], min_value: 1, max_value: 9, step: kind === 'Int' ? 1 : null, sampling: 'linear' };
  return JSON.stringify({ space: [...space, { class_name: kind, config }], values: { ...own, [name]: value } });
}

test('a tuner that comes back after the space has grown takes up the trials that were begun before', async () => {
  const folder = temporaryFolder();
  const jobs = new FakeJobs();
  const before = await start(jobs, folder);
  const { name } = await before.client.create(spec({ maxTrials: 3, maxParallelTrials: 2, jobs: JOBS }));
  const first = await submitted(jobs, 1);
  const second = await submitted(jobs, 2);
  first.succeed('val_loss', [1], found(first, 'units', 'Int', 3));
  const third = await submitted(jobs, 3);
  expect(Object.keys(values(third))).toContain('units');
  await before.stop();
  const after = await start(jobs, folder);
  second.succeed('val_loss', [2], found(second, 'units', 'Int', 4));
  third.succeed('val_loss', [3]);
  expect((await over(after, name)).trials).toMatchObject({ succeeded: 3, failed: 0 });
  expect(jobs.submitted).toHaveLength(3);
  expect((await after.client.getTrial(`${name}/trials/1`)).attempts).toBe(1);
});

test('of two trials that meet the same name with other types, the second fails, and says which name', async () => {
  const jobs = new FakeJobs();
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 2, maxParallelTrials: 2, maxRetriesPerTrial: 0, jobs: JOBS }));
  const first = await submitted(jobs, 1);
  const second = await submitted(jobs, 2);
  first.succeed('val_loss', [1], found(first, 'units', 'Int', 3));
  await until(async () => (await at.client.get(name)).trials?.succeeded === 1);
  second.succeed('val_loss', [1], found(second, 'units', 'Float', 3.5));
  expect((await over(at, name)).trials).toMatchObject({ succeeded: 1, failed: 1 });
  const { state } = await at.client.getTrial(`${name}/trials/1`);
  expect(state).toMatchObject({ case: 'failed', value: { error: expect.stringMatching(/"?units"? is of type FLOAT, but this study knows it as INT/) } });
});

test('a job that lost its workers says nothing of its trial: it is tried elsewhere, until it has cost too many', async () => {
  const jobs = new FakeJobs((job) => {
    const number = Number(job.requestId.split('.').at(-2));
    if (number === 1 || (number === 0 && job.requestId.endsWith('.1'))) {
      for (let i = 0; i < 4; i++) job.lose('workers/bad');
      job.fail('WORKER_LOST', 'rank 0 (workers/bad) was lost', Fault.WORKER);
    } else {
      job.succeed('val_loss', [1]);
    }
  });
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 3, maxRetriesPerTrial: 0, jobs: JOBS }));
  expect((await over(at, name)).trials).toMatchObject({ succeeded: 2, failed: 1 });
  expect(await at.client.getTrial(`${name}/trials/0`)).toMatchObject({ attempts: 2, state: { case: 'succeeded' } });
  // Wherever it runs, its workers die.
  expect(await at.client.getTrial(`${name}/trials/1`)).toMatchObject({ attempts: 2, state: { case: 'failed', value: { error: expect.stringContaining('8 workers vanished while they ran it; the study allows 5') } } });
});

test('a trial that a stopper gives up frees its workers, and is worth what it has reported', async () => {
  const jobs = new FakeJobs();
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 7, stopping: { case: 'medianStopping', value: {} }, jobs: JOBS }));
  for (let i = 0; i < 6; i++) {
    const job = await submitted(jobs, i + 1);
    for (let epoch = 0; epoch < 3; epoch++) job.epoch(epoch, { val_loss: 1 });
    job.succeed('val_loss', [1, 1, 1]);
  }
  const bad = await submitted(jobs, 7);
  bad.epoch(0, { val_loss: 50 });
  bad.epoch(1, { val_loss: 40 });
  await until(() => bad.job.state === JobState.CANCELLED);
  await over(at, name);
  const trial = await at.client.getTrial(`${name}/trials/6`);
  expect(trial.state).toMatchObject({ case: 'succeeded' });
  expect(trial.checkpoint).toBe('');
});

test('a study that is stopped cancels the jobs of its trials', async () => {
  const jobs = new FakeJobs();
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxParallelTrials: 2, jobs: JOBS }));
  await submitted(jobs, 2);
  await at.client.stop(name);
  await until(() => jobs.submitted.every(({ job }) => job.state === JobState.CANCELLED));
  expect(jobs.submitted).toHaveLength(2);
});

test('values that cannot work are infeasible; a job that fails is tried again once, and then is a failed trial', async () => {
  const jobs = new FakeJobs((job) => {
    if (jobs.submitted.length === 1) job.fail('NAN_LOSS', 'the loss is NaN at epoch 1');
    else if (jobs.submitted.length <= 3) job.fail('MODULE_THREW', 'Error: no');
    else job.succeed('val_loss', [1]);
  });
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 3, maxRetriesPerTrial: 1, jobs: JOBS }));
  expect((await over(at, name)).trials).toMatchObject({ infeasible: 1, failed: 1, succeeded: 1 });
  expect((await at.client.getTrial(`${name}/trials/0`)).state).toMatchObject({ case: 'infeasible', value: { reason: 'the loss is NaN at epoch 1' } });
  expect(await at.client.getTrial(`${name}/trials/1`)).toMatchObject({ attempts: 2, job: 'jobs/2', state: { case: 'failed', value: { error: 'jobs/2: Error: no' } } });
});

test('jobs that the coordinator refuses fail the study by name, after as many as it allows', async () => {
  const jobs = new FakeJobs();
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxRetriesPerTrial: 0, jobs: JOBS }));
  const running = await submitted(jobs, 1);
  jobs.refusal = new RpcError('NOT_FOUND', 'artifacts/e/versions/1 does not exist');
  running.fail('MODULE_THREW', 'Error: no');
  const study = await over(at, name);
  expect(study.state).toMatchObject({ case: 'failed' });
  expect((await at.client.getTrial(`${name}/trials/2`)).state).toMatchObject({ case: 'failed', value: { error: expect.stringContaining('artifacts/e/versions/1 does not exist') } });
});

test('a coordinator that is away is waited for', async () => {
  const jobs = new FakeJobs((job) => job.succeed('val_loss', [1]));
  const at = await start(jobs);
  const { name } = await at.client.create(spec({ maxTrials: 1, jobs: JOBS }));
  expect((await over(at, name)).trials).toMatchObject({ succeeded: 1 });
  jobs.refusal = new RpcError('UNAVAILABLE', 'the coordinator is away');
  await at.client.extend(name, { maxTrials: 2 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  jobs.refusal = undefined;
  await until(async () => (await at.client.get(name)).trials?.succeeded === 2);
});

test('when it is over its best values and its trials are committed, with what they are of; after more trials again', async () => {
  const jobs = new FakeJobs((job) => {
    if (jobs.submitted.length === 2) job.fail('NAN_LOSS', 'the loss is NaN');
    else job.succeed('val_loss', [Number(values(job)['lr'])]);
  });
  const artifacts = new FakeArtifacts();
  served = await serve({ jobs, artifacts });
  const { client } = served;
  const { name } = await client.create(spec({ maxTrials: 3, jobs: JOBS }), { studyId: 'birds' });
  await until(async () => (await client.get(name)).results !== undefined);
  const { results } = await client.get(name);
  expect(results).toMatchObject({ hyperparameters: 'artifacts/birds-hyperparameters/versions/1', results: 'artifacts/birds-results/versions/1', execution: 'executions/1', trials: 3 });
  const [first, , third] = jobs.submitted.map((job) => Number(values(job)['lr']));
  const lineage = (first ?? NaN) <= (third ?? NaN) ? [0, 2] : [2, 0];
  expect(artifacts.executions).toEqual([{
    type: 'Tuner', done: true,
    inputs: [{ key: 'module', version: TEMPLATE.module }, { key: 'examples', version: TEMPLATE.examples[0] }, ...lineage.map((job) => ({ key: 'checkpoint', version: `${TEMPLATE.output}/versions/${job}` }))],
  }]);
  const [best, table] = artifacts.files;
  const lowest = Math.min(...[0, 2].map((i) => Number(jobs.submitted[i] && values(jobs.submitted[i])['lr'])));
  expect(best).toMatchObject({ type: 'HyperParameters', path: 'best_hyperparameters.txt' });
  expect((JSON.parse(best?.text ?? '') as { values: object }).values).toMatchObject({ lr: lowest });
  expect((JSON.parse(table?.text ?? '') as { trial_id: string; score: number }[]).map(({ score }) => score)).toHaveLength(2);
  await client.extend(name, { maxTrials: 4 });
  await until(async () => (await client.get(name)).results?.trials === 4);
});

describe('what is refused', () => {
  test('jobs without a coordinator', async () => {
    served = await serve();
    expect(await failure(served.client.create(spec({ jobs: JOBS })))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { fieldViolations: [{ field: 'spec.jobs' }] } });
    expect(await failure(served.client.rpc.discoverStudy({ jobs: JOBS }))).toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'NO_COORDINATOR' } });
  });

  test('a template that the coordinator refuses, in the words of the request, and a space that nobody knows', async () => {
    const jobs = new FakeJobs();
    const { client } = await start(jobs);
    jobs.refusal = RpcError.badRequest([{ field: 'spec.examples', description: 'is required' }]);
    expect(await failure(client.create(spec({ jobs: JOBS })))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { fieldViolations: [{ field: 'spec.jobs.template.examples', description: 'is required' }] } });
    expect(await failure(client.create(spec({ space: { case: 'discovery', value: {} }, jobs: {} })))).toMatchObject({ details: { fieldViolations: [{ field: 'spec.jobs.template' }, { field: 'spec.space' }] } });
  });
});

describe('a discovery', () => {
  const FOUND = {
    algorithm: 'Hyperband', optionsJson: '{"maxEpochs": 9, "factor": 3, "hyperbandIterations": 2, "seed": 5, "sampler": "gaussianProcess", "maxRetriesPerTrial": 0, "maxConsecutiveFailedTrials": 3}',
    objectives: [{ metric: 'val_acc', direction: 2 }],
    hyperparametersJson: '{"space": [{"class_name": "Float", "config": {"name": "rate", "default": 0.01, "conditions": [], "min_value": 0.0001, "max_value": 0.1, "step": null, "sampling": "log"}}], "values": {"rate": 0.01}}',
  };

  test('says what study a module describes; a study can be made of it as it is', async () => {
    const jobs = new FakeJobs((job) => {
      if (job.spec.tuner?.part.case === 'discovery') job.end({ state: JobState.SUCCEEDED, result: { tuner: { case: 'discovery', value: FOUND } } });
      else job.succeed('val_acc', [0.5]);
    });
    const at = await start(jobs);
    const found = await at.client.rpc.discoverStudy({ jobs: JOBS });
    expect(jobs.submitted[0]?.spec).toMatchObject({ module: TEMPLATE.module, output: '' });
    expect(found).toMatchObject({
      algorithm: { case: 'hyperband', value: { maxEpochs: 9, factor: 3, iterations: 2, sampler: Sampler.GAUSSIAN_PROCESS } }, seed: 5n, objectives: [{ metric: 'val_acc', direction: 2 }], maxRetriesPerTrial: 0, maxConsecutiveFailedTrials: 3,
      space: { value: { parameters: [{ name: 'rate', kind: { case: 'floatRange', value: { min: 1e-4, max: 0.1, sampling: 2, defaultValue: 0.01 } } }] } }, jobs: { template: TEMPLATE },
    });
    const { name } = await at.client.create(found);
    expect((await over(at, name)).state.case).toBe('completed');
  });

  test('that fails says why, and which job', async () => {
    const jobs = new FakeJobs((job) => job.fail('NOT_A_TUNER', 'tunerFn returned nothing'));
    const { client } = await start(jobs);
    expect(await failure(client.rpc.discoverStudy({ jobs: JOBS }))).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('tunerFn returned nothing'), details: { reason: 'DISCOVERY_FAILED', metadata: { job: 'jobs/0', jobReason: 'NOT_A_TUNER' } } });
  });
});
