/**
 * A search that cannot be lost, on real processes: whoever dies, whenever, the study has the trials, values, scores, checkpoints and
 * results of an undisturbed one whose trials had one worker each, and no job was submitted twice.
 */
import { CoordinatorClient, TunerClient, trialNumber } from '@lockstep/client';
import { JobState, type Trial } from '@lockstep/contract';
import { BayesianOptimization, EnqueuedFirst } from '@lockstep/search';
import { LocalCluster } from './cluster';
import { IMPORT_PENGUINS, LIGHT_BACKEND, moduleFile } from './fixtures';
import { replaySuggestions, searchedSpace } from './study-replay';
import { StudyRunner, type StudyAction, type StudyOutcome, type StudySchedule } from './study-run';

type Algorithm = 'BayesianOptimization' | 'Hyperband';

const SEED = 7;
/** The last one's values follow from the scores of the others; the last one goes on from the better of the others. */
const TRIALS: Readonly<Record<Algorithm, number>> = { BayesianOptimization: 4, Hyperband: 3 };
/** By which each step takes longer, so that there is time to act in. */
const STEP_MS: Readonly<Record<Algorithm, number>> = { BayesianOptimization: 30, Hyperband: 60 };

let cluster: LocalCluster;
let coordinator: CoordinatorClient;
let tuner: TunerClient;
let runner: StudyRunner;

beforeAll(async () => {
  cluster = await LocalCluster.start(2, LIGHT_BACKEND);
  coordinator = new CoordinatorClient(cluster.facts.coordinator);
  tuner = new TunerClient(cluster.facts.tuner);
  runner = new StudyRunner(cluster, coordinator, tuner);
  await cluster.json(...IMPORT_PENGUINS);
}, 120_000);
afterAll(async () => {
  coordinator.close();
  tuner.close();
  await cluster.stop();
}, 60_000);

const search = (id: string, algorithm: Algorithm, stepMs: number, { flags = [], ...rest }: Pick<StudySchedule, 'workers' | 'flags' | 'actions'>): Promise<StudyOutcome> =>
  runner.run(id, { ...rest, module: moduleFile('study'), examples: 'penguins', config: { algorithm, stepMs }, flags: ['--seed', String(SEED), '--trials', String(TRIALS[algorithm]), ...flags] });

/** All that is told of a trial, but for its names and times. */
const told = ({ values, rung, attempts, state, measurements }: Trial): unknown => ({
  values: values.map(({ name, value }) => [name, value?.kind]), rung: rung && { ...rung, parent: rung.parent.split('/').at(-1) }, attempts, measurements,
  state: state.case, scores: state.case === 'succeeded' && state.value.scores,
});

/** What holds of every study, whatever happened to it. */
function expectWhole({ study, trials, jobs, events }: StudyOutcome, count: number): void {
  expect(study.state).toMatchObject({ case: 'completed' });
  expect(trials.map(({ name, state, attempts }) => [trialNumber(name), state.case, attempts])).toEqual(Array.from({ length: count }, (_, i) => [i, 'succeeded', 1]));
  // A discovery, and one job for each trial: none was submitted twice, none was lost.
  expect(jobs.map(({ state }) => JobState[state])).toEqual(Array.from({ length: count + 1 }, () => 'SUCCEEDED'));
  expect(jobs.filter(({ spec }) => spec?.tuner?.part.case === 'discovery')).toHaveLength(1);
  expect(new Set(trials.map(({ job }) => job))).toEqual(new Set(jobs.filter(({ spec }) => spec?.tuner?.part.case === 'trial').map(({ name }) => name)));
  // Each epoch was told once, and each end.
  const epochs = events.flatMap(({ event }) => (event.case === 'trialMeasured' ? [`${trialNumber(event.value.trial)}.${event.value.measurement?.epoch ?? '?'}`] : []));
  expect(epochs).toEqual(trials.flatMap(({ name, measurements }) => measurements.map(({ epoch }) => `${trialNumber(name)}.${epoch}`)));
  expect(new Set(epochs).size).toBe(epochs.length);
  const ends = events.flatMap(({ event }) => (event.case === 'trialChanged' && event.value.state.case === 'succeeded' ? [trialNumber(event.value.name)] : []));
  expect(new Set(ends).size).toBe(count);
}

async function best({ study }: StudyOutcome): Promise<number> {
  const [first] = await tuner.best(study.name);
  return trialNumber(first?.name ?? '');
}

describe('in sequential mode', () => {
  const undisturbed: Partial<Record<Algorithm, Promise<StudyOutcome>>> = {};
  /** The same study, with one worker a trial and nobody disturbed. */
  const reference = (algorithm: Algorithm): Promise<StudyOutcome> => (undisturbed[algorithm] ??= search(`undisturbed-${algorithm.toLowerCase()}`, algorithm, 0, { workers: 1 }));

  const DEATHS: readonly (readonly [string, Algorithm, number, readonly StudyAction[]])[] = [
    ['the tuner', 'BayesianOptimization', 1, [{ after: { kind: 'MEASURED', trial: 1, epoch: 1 }, kill: 'TUNER' }]],
    ['the coordinator', 'BayesianOptimization', 1, [{ after: { kind: 'MEASURED', trial: 1, epoch: 1 }, kill: 'COORDINATOR' }]],
    ['the child of a worker that runs a trial', 'BayesianOptimization', 2, [{ after: { kind: 'SUBMITTED', trial: 1 }, kill: 'WORKER' }]],
    ['all of them, one after the other', 'Hyperband', 2, [
      { after: { kind: 'SUBMITTED', trial: 0 }, kill: 'TUNER' }, { after: { kind: 'SUCCEEDED', trial: 0 }, kill: 'COORDINATOR' }, { after: { kind: 'SUCCEEDED', trial: 1 }, kill: 'TUNER' },
      // The worker first: a job goes on without its coordinator, and could be over before that one is back to say who its members are.
      { after: { kind: 'PROMOTED' }, kill: 'WORKER' }, { after: { kind: 'PROMOTED' }, kill: 'COORDINATOR' }, { after: { kind: 'SUCCEEDED', trial: 2 }, kill: 'TUNER' },
    ]],
  ];

  test.each(DEATHS)('kill -9 of %s (%s, workers a trial: %i): all is as if nothing had happened', async (who, algorithm, workers, actions) => {
    const expected = await reference(algorithm);
    expectWhole(expected, TRIALS[algorithm]);
    const outcome = await search(who.replaceAll(/[^a-z]+/g, '-'), algorithm, STEP_MS[algorithm], { workers, actions });
    expectWhole(outcome, TRIALS[algorithm]);
    expect(outcome.trials.map(told)).toEqual(expected.trials.map(told));
    expect(outcome.digests).toEqual(expected.digests);
    expect(await best(outcome)).toBe(await best(expected));
    // Nobody was lost but those who were killed: their jobs went on without them.
    expect(outcome.lost).toEqual(outcome.killed);
    expect(outcome.killed).toHaveLength(actions.filter(({ kill }) => kill === 'WORKER').length);
    expect(outcome.jobs.map(({ spec }) => spec?.workers?.min)).toEqual(outcome.jobs.map(() => workers));
  }, 360_000);
});

test('in parallel mode, every suggestion follows bit for bit from what was recorded before it', async () => {
  const { study, trials, events, jobs } = await search('parallel', 'BayesianOptimization', 0, { workers: 1, flags: ['--parallel', '2', '--trials', '6'] });
  expect(trials.map(({ state }) => state.case)).toEqual(Array.from({ length: 6 }, () => 'succeeded'));
  const algorithm = study.spec?.algorithm;
  if (algorithm?.case !== 'bayesianOptimization') throw new Error(`${study.name} has another algorithm: ${algorithm?.case ?? 'none'}`);
  const { numInitialPoints, alpha, beta } = algorithm.value;
  const suggestions = replaySuggestions(events, new EnqueuedFirst(new BayesianOptimization({ numInitialPoints, alpha, beta })), { space: searchedSpace(jobs), objectives: [{ metric: 'val_loss', direction: 'MIN' }], seed: SEED });
  expect(suggestions.map(({ replayed }) => replayed)).toEqual(suggestions.map(({ recorded }) => recorded));
  expect(suggestions).toHaveLength(6);
  expect(suggestions.some(({ isModelled }) => isModelled)).toBe(true);
  // They ran side by side: the second began before the first had ended.
  const changes = events.flatMap(({ event }) => (event.case === 'trialChanged' ? [`${trialNumber(event.value.name)} ${event.value.state.case ?? ''}`] : []));
  expect(changes.indexOf('1 running')).toBeLessThan(changes.indexOf('0 succeeded'));
}, 360_000);
