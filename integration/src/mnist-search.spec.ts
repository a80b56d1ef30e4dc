/** A real search: Hyperband with a Gaussian process over a convolutional network, two trials at once on four workers, one of which is killed. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ArtifactClient, CoordinatorClient, TunerClient, trialNumber } from '@lockstep/client';
import { JobState, type TrainJob, type Trial } from '@lockstep/contract';
import { formatSchema, readRecords, writeRecordFile } from '@lockstep/examples';
import { openChannel, type Channel } from '@lockstep/rpc';
import { GaussianSampler, Hyperband } from '@lockstep/search';
import { LocalCluster } from './cluster';
import { moduleFile, ROOT } from './fixtures';
import { replaySuggestions, searchedSpace } from './study-replay';
import { StudyRunner } from './study-run';

/** Real digits, which are not part of the repository: $LOCKSTEP_TEST_DATA, or ../shared/data beside it. */
const MNIST = join(process.env['LOCKSTEP_TEST_DATA'] ?? resolve(ROOT, '..', 'shared', 'data'), 'mnist', 'mnist.tfrecord');
const RECORDS = { train: 384, eval: 128 };
const SEED = 11;
const TRIALS = 12;

const TITLE = "a search over a convolutional network on MNIST's digits";
const tests = (): void => {
  let cluster: LocalCluster;
  let coordinator: CoordinatorClient;
  let tuner: TunerClient;
  let channel: Channel;
  let artifacts: ArtifactClient;

  beforeAll(async () => {
    cluster = await LocalCluster.start(4);
    coordinator = new CoordinatorClient(cluster.facts.coordinator);
    tuner = new TunerClient(cluster.facts.tuner);
    channel = openChannel(cluster.facts.artifact);
    artifacts = new ArtifactClient(channel);
    await artifacts.putDirectory(await cutMnist(join(cluster.folder, 'mnist')), { artifact: 'artifacts/mnist', type: 'Examples' });
  }, 120_000);
  afterAll(async () => {
    coordinator.close();
    tuner.close();
    channel.close();
    await cluster.stop();
  }, 60_000);

  const digestOf = async (version: string | undefined): Promise<string> => (await artifacts.getVersion(version ?? '')).digest;

  /** A trial's job again, undisturbed, on one worker. @returns the checkpoint that it ends with */
  async function again({ name, spec }: TrainJob, startFrom: string): Promise<string> {
    if (spec?.tuner?.part.case !== 'trial') throw new Error(`${name} is no trial`);
    const { value } = spec.tuner.part;
    const { name: job } = await coordinator.submit({
      ...spec, output: 'artifacts/again', workers: { $typeName: 'lockstep.coordinator.v1.WorkerCount', min: 1, max: 1 },
      tuner: { ...spec.tuner, part: { case: 'trial', value: { ...value, startFrom } } },
    });
    for await (const { event } of coordinator.watch(job)) if (event.case === 'memberLost') throw new Error(`${job} lost ${event.value.worker}`);
    const { state, error, result } = await coordinator.get(job);
    expect([error?.message, JobState[state]]).toEqual([undefined, 'SUCCEEDED']);
    return result?.tuner.case === 'trial' ? result.tuner.value.checkpoint : '';
  }

  test('a worker is killed: the best checkpoint is that of its chain of trials, run again undisturbed on one worker each', async () => {
    const { study, trials, events, jobs, lost, killed } = await new StudyRunner(cluster, coordinator, tuner).run('mnist', {
      module: moduleFile('mnist-search'), examples: 'mnist', workers: 2, config: { stepMs: 60 },
      flags: ['--parallel', '2', '--seed', String(SEED), '--trials', String(TRIALS)], actions: [{ after: { kind: 'PROMOTED' }, kill: 'WORKER' }],
    });
    expect(study.state.case).toBe('completed');
    expect(trials.map(({ state, attempts }) => [state.case, attempts])).toEqual(Array.from({ length: TRIALS }, () => ['succeeded', 1]));
    expect(jobs).toHaveLength(TRIALS + 1);
    expect(lost).toEqual(killed);
    expect(killed).toHaveLength(1);

    // The order that was recorded, replayed: the same suggestions.
    const algorithm = study.spec?.algorithm;
    if (algorithm?.case !== 'hyperband') throw new Error(`${study.name} has another algorithm: ${algorithm?.case ?? 'none'}`);
    const { maxEpochs, factor, iterations } = algorithm.value;
    const suggestions = replaySuggestions(events, new Hyperband(new GaussianSampler({ maxEpochs }), { maxEpochs, factor, iterations, earlierSweeps: [] }), {
      space: searchedSpace(jobs), objectives: [{ metric: study.spec?.objectives[0]?.metric ?? '', direction: 'MAX' }], seed: SEED,
    });
    expect(suggestions.map(({ replayed }) => replayed)).toEqual(suggestions.map(({ recorded }) => recorded));
    expect(suggestions).toHaveLength(TRIALS);
    expect(suggestions.some(({ isModelled }) => isModelled)).toBe(true);

    // Nobody promotes a trial that has learned nothing.
    const [best] = await tuner.best(study.name);
    const score = best?.state.case === 'succeeded' ? best.state.value.scores[0] : undefined;
    expect(score).toBeGreaterThan(0.5);

    const jobOf = new Map(jobs.map((job) => [job.name, job]));
    const redone = new Map<number, string>();
    /** Checks a trial after those that it goes on from. @returns its checkpoint, made again */
    const redo = async (trial: Trial | undefined): Promise<string> => {
      const job = jobOf.get(trial?.job ?? '');
      if (!trial || !job) throw new Error(`${trial?.name ?? 'a trial'} has no job`);
      const number = trialNumber(trial.name);
      const known = redone.get(number);
      if (known !== undefined) return known;
      const parent = trial.rung?.parent ?? '';
      const checkpoint = await again(job, parent === '' ? '' : await redo(trials[trialNumber(parent)]));
      expect([trial.name, await digestOf(checkpoint)]).toEqual([trial.name, await digestOf(trial.checkpoint)]);
      redone.set(number, checkpoint);
      return checkpoint;
    };
    await redo(trials[trialNumber(best?.name ?? '')]);
    // The one that lost a worker too, if the best does not descend from it.
    await redo(trials.find(({ job }) => killed.some((each) => each.startsWith(`${job} `))));
    expect(redone.size).toBeGreaterThan(1);
  }, 600_000);
};

/** Some of the digits as splits of Examples. @returns the folder */
async function cutMnist(folder: string): Promise<string> {
  const records = readRecords(MNIST);
  for (const [split, count] of Object.entries(RECORDS)) {
    const taken: Buffer[] = [];
    while (taken.length < count) {
      const next = await records.next();
      if (next.done) throw new Error(`${MNIST} has too few records`);
      taken.push(Buffer.from(next.value.data));
    }
    await mkdir(join(folder, `Split-${split}`), { recursive: true });
    await writeRecordFile(join(folder, `Split-${split}`, 'data_tfrecord-00000-of-00001'), taken, { gzip: false });
  }
  await records.return();
  const dense = { presence: { minFraction: 1 }, disabled: false } as const;
  await writeFile(join(folder, 'schema.pbtxt'), formatSchema([{ ...dense, name: 'image_class', type: 'INT', shape: [] }, { ...dense, name: 'image_floats', type: 'FLOAT', shape: [28 * 28] }]));
  return folder;
}

if (existsSync(MNIST)) describe(TITLE, tests);
else describe.skip(`${TITLE} (skipped: no test data; set LOCKSTEP_TEST_DATA)`, tests);
