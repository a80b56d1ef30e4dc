/** A tuner's jobs on real processes: what a module tunes is found, and a trial ends with the same bytes on any number of workers, whoever dies. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ArtifactClient, CoordinatorClient, VersionCache } from '@lockstep/client';
import { Fault, JobState, TrainJobSchema, TuningObjective_Direction as Direction, type DiscoveryOutcome, type JobEvent, type TrainJob, type TrainJobSpec, type TrialOutcome, type TrialRun } from '@lockstep/contract';
import { openChannel, type Channel } from '@lockstep/rpc';
import { decodeState, type StateSnapshot } from '@lockstep/training';
import { LocalCluster } from './cluster';
import { childrenOf } from './fault-run';
import { IMPORT_PENGUINS, LIGHT_BACKEND, moduleFile } from './fixtures';

let cluster: LocalCluster;
let client: CoordinatorClient;
let channel: Channel;
let artifacts: ArtifactClient;
/** A spec of the module without its tuner's part. */
let base: TrainJobSpec;

beforeAll(async () => {
  cluster = await LocalCluster.start(3, LIGHT_BACKEND);
  client = new CoordinatorClient(cluster.facts.coordinator);
  channel = openChannel(cluster.facts.artifact);
  artifacts = new ArtifactClient(channel);
  await cluster.json(...IMPORT_PENGUINS);
  const [checked] = await cluster.json<JsonValue & object>('train', moduleFile('tuner'), '--examples', 'penguins', '--output', 'trials', '--seed', '5', '--dry-run');
  const { spec } = fromJson(TrainJobSchema, checked ?? {});
  if (!spec) throw new Error('train --dry-run gave no spec');
  base = { ...spec, function: '' };
}, 120_000);
afterAll(async () => {
  client.close();
  channel.close();
  await cluster.stop();
}, 60_000);

interface Ended {
  readonly job: TrainJob;
  readonly events: readonly JobEvent['event'][];
}

async function follow(name: string, onEvent: (event: JobEvent['event']) => void = () => undefined): Promise<Ended> {
  const events: JobEvent['event'][] = [];
  for await (const { event } of client.watch(name)) {
    events.push(event);
    onEvent(event);
  }
  return { job: await client.get(name), events };
}

const submit = (more: Partial<TrainJobSpec>, config: object): Promise<TrainJob> => client.submit({ ...base, customConfigJson: JSON.stringify(config), ...more });

const discovery = (config: object): Promise<TrainJob> => submit({ output: '', tuner: { $typeName: 'lockstep.coordinator.v1.TunerJob', part: { case: 'discovery', value: { $typeName: 'lockstep.coordinator.v1.DiscoveryRun' } } } }, config);

async function outcomeOf(name: string): Promise<DiscoveryOutcome> {
  const { job } = await follow(name);
  expect(job.error?.message).toBeUndefined();
  if (job.result?.tuner.case !== 'discovery') throw new Error('the discovery found nothing');
  return job.result.tuner.value;
}

const HYPERPARAMETERS = JSON.stringify({ space: [], values: {} });
const workers = (count: number): TrainJobSpec['workers'] => ({ $typeName: 'lockstep.coordinator.v1.WorkerCount', min: count, max: count });
const trialPart = (trial: Partial<TrialRun>): TrainJobSpec['tuner'] => ({ $typeName: 'lockstep.coordinator.v1.TunerJob', part: { case: 'trial', value: {
  $typeName: 'lockstep.coordinator.v1.TrialRun', hyperparametersJson: HYPERPARAMETERS, initialEpoch: 0, epochs: 0, executions: 0, startFrom: '', ...trial,
} } });

async function tried(count: number, trial: Partial<TrialRun>, config: object = {}, onEvent?: (event: JobEvent['event']) => void): Promise<Ended & { readonly outcome: TrialOutcome }> {
  const ended = await follow((await submit({ workers: workers(count), tuner: trialPart(trial) }, config)).name, onEvent);
  const { job } = ended;
  expect(job.error?.message).toBeUndefined();
  expect(job.state).toBe(JobState.SUCCEEDED);
  if (job.result?.tuner.case !== 'trial') throw new Error('the trial has no outcome');
  return { ...ended, outcome: job.result.tuner.value };
}

/** A trial's hyperparameters: the discovered space, and some values. */
const inSpace = (found: DiscoveryOutcome, values: object): string => {
  const { space, values: defaults } = JSON.parse(found.hyperparametersJson) as { space: unknown; values: object };
  return JSON.stringify({ space, values: { ...defaults, ...values } });
};

/** What a trial committed. */
async function stateOf(outcome: TrialOutcome | undefined): Promise<StateSnapshot> {
  const bytes = (await readFile(await new VersionCache(artifacts, join(cluster.folder, 'fetched')).file(outcome?.checkpoint ?? '', 'state.bin'))).subarray(8);
  return decodeState(bytes, createHash('sha256').update(bytes).digest('hex'));
}

const tensorsOf = async (outcome: TrialOutcome): Promise<unknown> => {
  const { tensors, models } = await stateOf(outcome);
  return [models, tensors.map(({ name, data }) => [name, Buffer.from(data).toString('base64')])];
};

test('a discovery finds what a module tunes, trains nothing, and is told of in its last event', async () => {
  const { name } = await discovery({ algorithm: 'Hyperband' });
  const found = await outcomeOf(name);
  expect(found).toMatchObject({ algorithm: 'Hyperband', objectives: [{ metric: 'val_acc', direction: Direction.MAX }] });
  expect(JSON.parse(found.optionsJson)).toEqual({ maxEpochs: 9, factor: 3, hyperbandIterations: 1, sampler: 'random', executionsPerTrial: 1, maxRetriesPerTrial: 0, maxConsecutiveFailedTrials: 3 });
  const { space, values } = JSON.parse(found.hyperparametersJson) as { space: { config: { name: string; conditions: unknown[] } }[]; values: object };
  expect(space.map(({ config }) => config.name)).toEqual(['units', 'norm', 'norm_momentum', 'activation', 'rate']);
  expect(space[2]?.config.conditions).toEqual([{ class_name: 'Parent', config: { name: 'norm', values: [true] } }]);
  expect(values).toEqual({ units: 8, norm: true, norm_momentum: 0.9, activation: 'relu', rate: 0.01 });
  const { job, events } = await follow(name);
  expect(job).toMatchObject({ committedSteps: 0n, result: { model: '' } });
  expect(events.at(-1)).toMatchObject({ case: 'stateChanged', value: { state: JobState.SUCCEEDED, result: { tuner: { case: 'discovery', value: found } } } });
  expect(await artifacts.getExecution(job.result?.execution ?? '')).toMatchObject({ type: 'TunerDiscovery', inputs: [{ key: 'module' }, { key: 'examples' }], outputs: [] });
}, 60_000);

test('what the command line says beside the module is in the study', async () => {
  const [spec] = await cluster.json('tune', moduleFile('tuner'), '--examples', 'penguins', '--config', JSON.stringify({}), '--trials', '7', '--stopping', 'curve:9', '--warm-start', 'birds', 'studies/more', '--dry-run');
  expect(spec).toMatchObject({ maxTrials: 7, curveStopping: { maxEpochs: 9 }, warmStartFrom: ['studies/birds', 'studies/more'] });
}, 60_000);

describe('a trial', () => {
  let found: DiscoveryOutcome;
  beforeAll(async () => { found = await outcomeOf((await discovery({})).name); }, 60_000);

  test('ends with the same bytes on one, two and three workers, each execution with random numbers of its own', async () => {
    const trial = { hyperparametersJson: inSpace(found, { units: 16, rate: 0.02 }), executions: 2 };
    const trials = [await tried(1, trial), await tried(2, trial), await tried(3, trial)];
    expect(trials.map(({ job }) => job.generation?.members.length)).toEqual([1, 2, 3]);
    expect(new Set(trials.map(({ job }) => job.result?.stateDigest)).size).toBe(1);
    const versions = await Promise.all(trials.map(({ outcome }) => artifacts.getVersion(outcome.checkpoint)));
    expect(new Set(versions.map(({ digest }) => digest)).size).toBe(1);
    expect(versions[0]).toMatchObject({ type: 'Checkpoint', entries: [{ path: 'state.bin' }] });
    for (const { outcome: { executions, hyperparametersJson }, job } of trials) {
      expect(executions).toEqual(trials[0]?.outcome.executions);
      expect(JSON.parse(hyperparametersJson)).toEqual({ space: [], values: { units: 16, norm: true, norm_momentum: 0.9, activation: 'relu', rate: 0.02 } });
      expect(job.reports.every(({ replicaComputations }) => replicaComputations > 0n)).toBe(true);
    }
    const [first, second] = trials[0]?.outcome.executions ?? [];
    expect([first?.firstEpoch, first?.objectives[0]?.name, first?.objectives[0]?.values.length]).toEqual([0, 'val_acc', 3]);
    expect([second?.firstEpoch, second?.objectives[0]?.values.length]).toEqual([0, 3]);
    // Told while it ran, and at its end.
    const epochs = trials[1]?.events.flatMap((event) => (event.case === 'epochEnded' ? [event.value] : [])) ?? [];
    expect(epochs.map(({ position }) => [position?.call, position?.epoch])).toEqual([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
    expect(epochs[0]?.metrics.map(({ name }) => name).sort()).toEqual(['acc', 'loss', 'val_acc', 'val_loss']);
    expect(epochs.map(({ metrics }) => metrics.find(({ name }) => name === 'val_acc')?.value)).toEqual([...(first?.objectives[0]?.values ?? []), ...(second?.objectives[0]?.values ?? [])]);
    const weights = (await stateOf(trials[0]?.outcome)).tensors.filter(({ name }) => name.endsWith('/kernel')).map(({ data }) => Buffer.from(data).toString('base64'));
    expect(new Set(weights).size).toBe(4);
  }, 180_000);

  test('that is promoted goes on from its parent: the bits of a trial that never stopped, on other workers', async () => {
    const hyperparametersJson = inSpace(found, { units: 24 });
    const whole = await tried(1, { hyperparametersJson, epochs: 4 });
    const parent = await tried(2, { hyperparametersJson, epochs: 2 });
    const promoted = inSpace(found, { units: 24, 'tuner/epochs': 4, 'tuner/initial_epoch': 2, 'tuner/trial_id': '0000' });
    const child = await tried(3, { hyperparametersJson: promoted, initialEpoch: 2, epochs: 4, startFrom: parent.outcome.checkpoint });
    expect(await tensorsOf(child.outcome)).toEqual(await tensorsOf(whole.outcome));
    expect(await tensorsOf(parent.outcome)).not.toEqual(await tensorsOf(whole.outcome));
    const values = ({ outcome }: { readonly outcome: TrialOutcome }): readonly number[] => outcome.executions[0]?.objectives[0]?.values ?? [];
    expect([...values(parent), ...values(child)]).toEqual(values(whole));
    expect(child.outcome.executions[0]?.firstEpoch).toBe(2);
    expect(await artifacts.getExecution(child.job.result?.execution ?? '')).toMatchObject({
      type: 'TunerTrial', inputs: expect.arrayContaining([expect.objectContaining({ key: 'checkpoint', version: parent.outcome.checkpoint })]), outputs: [{ key: 'checkpoint', version: child.outcome.checkpoint }],
    });
  }, 180_000);

  test('that loses a worker ends with the same bytes', async () => {
    const hyperparametersJson = inSpace(found, { units: 16 });
    const undisturbed = await tried(1, { hyperparametersJson, epochs: 2 });
    let victim: string | undefined;
    let killed = false;
    const { job, events } = await tried(2, { hyperparametersJson, epochs: 2 }, { stepMs: 200 }, (event) => {
      if (event.case === 'generationFormed') victim ??= event.value.generation?.members[1]?.worker;
      if (killed || victim === undefined || event.case !== 'stepsCommitted') return;
      killed = true;
      for (const child of childrenOf(cluster.pidOf(victim.replace('workers/w', 'worker-')) ?? -1)) process.kill(child, 'SIGKILL');
    });
    expect(events.some(({ case: kind }) => kind === 'memberLost')).toBe(true);
    expect(job.result).toMatchObject({ stateDigest: undisturbed.job.result?.stateDigest, steps: undisturbed.job.result?.steps });
  }, 120_000);

  test('whose model asks for more tells of the whole space, and of the values that it had', async () => {
    const { outcome } = await tried(1, { hyperparametersJson: inSpace(found, { units: 32 }), epochs: 1 });
    const { space, values } = JSON.parse(outcome.hyperparametersJson) as { space: { config: { name: string } }[]; values: object };
    expect(space.map(({ config }) => config.name)).toEqual(['units', 'norm', 'norm_momentum', 'activation', 'rate', 'deep']);
    expect(values).toMatchObject({ units: 32, deep: true });
  }, 60_000);

  test('that is cancelled frees its workers, and commits nothing', async () => {
    const before = await names();
    const { name } = await submit({ workers: workers(3), output: 'artifacts/cancelled', tuner: trialPart({ hyperparametersJson: inSpace(found, {}), epochs: 1000 }) }, { stepMs: 100 });
    const next = await submit({ workers: workers(3), output: 'artifacts/next', tuner: trialPart({ hyperparametersJson: inSpace(found, {}), epochs: 1 }) }, {});
    const { job, events } = await follow(name, (event) => { if (event.case === 'epochEnded' && event.value.position?.epoch === 0) void client.cancel(name); });
    expect(job.state).toBe(JobState.CANCELLED);
    expect(events.at(-1)).toMatchObject({ value: { state: JobState.CANCELLED } });
    expect((await follow(next.name)).job.state).toBe(JobState.SUCCEEDED);
    expect((await client.get(name)).committedSteps).toBe(job.committedSteps);
    expect(await names()).toEqual([...before, 'artifacts/next'].sort());
  }, 120_000);

  test.each([
    ['a parameter that is of another kind by now', { fault: 'OTHER_KIND' }, {}, 'SPACE_CHANGED', /'units' is Int in the study's space, and the module declares it as Choice/],
    ['values that the module gives up', { fault: 'INFEASIBLE' }, { units: 32 }, 'INFEASIBLE_TRIAL', /^32 units are more than the machine holds$/],
  ])('%s ends it, by name', async (_what, config, values, reason, message) => {
    const { job } = await follow((await submit({ tuner: trialPart({ hyperparametersJson: inSpace(found, values) }) }, config)).name);
    expect(job.error).toMatchObject({ reason, fault: Fault.MODULE, message: expect.stringMatching(message) });
  }, 60_000);

  test('values outside of the space are refused before anything starts, with everything else that is wrong', async () => {
    const bad = submit({ tuner: trialPart({ hyperparametersJson: inSpace(found, { units: 31, unit: 3 }), initialEpoch: 3, epochs: 2, startFrom: 'here' }) }, {});
    await expect(bad).rejects.toThrow(/parameter "units" cannot be 31.*the space has no parameter "unit".*epochs: 2 are done already.*start_from: "here" is not the name of a version/);
  });
});

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of artifacts.listArtifacts({ type: 'Checkpoint' })) if (!/jobs-.*-checkpoints$/.test(name)) found.push(name);
  return found.sort();
}
