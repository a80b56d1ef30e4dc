/** What a tuner has acknowledged survives whatever happens to it: a search that goes on through kills is the one without. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TunerClient } from '@lockstep/client';
import type { StudySpecSchema, Trial } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { TunerProcess } from './tuner-process';

const SEED = 20261121;
const CLIENTS = 6;

type Spec = MessageInitShape<typeof StudySpecSchema>;

const space: Spec['space'] = { case: 'searchSpace', value: { parameters: [
  { name: 'lr', kind: { case: 'floatRange', value: { min: 1e-4, max: 0.1, sampling: 2 } } },
  { name: 'units/größe', kind: { case: 'intRange', value: { min: 1n, max: 512n } } },
] } };
const random: Spec = { space, objectives: [{ metric: 'val_loss' }], algorithm: { case: 'randomSearch', value: {} }, seed: 7n, lease: { seconds: 600n, nanos: 0 } };
const hyperband: Spec = { ...random, algorithm: { case: 'hyperband', value: { maxEpochs: 9, iterations: 1000 } } };

/** Numbers of [0, 1), the same for the same seed (xorshift). */
function* draws(seed: number): Generator<number, never> {
  for (let x = seed >>> 0 || 1; ;) {
    x ^= x << 13; x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5; x >>>= 0;
    yield x / 2 ** 32;
  }
}

/** What a trial with these values comes to. */
const lossOf = (trial: Trial, epoch: number): number => {
  const [lr, units] = trial.values.map(({ value }) => Number(value?.kind.value));
  return Math.abs(Math.log10(lr ?? NaN) + 2.5) + (units ?? NaN) / 1000 + 1 / epoch;
};

/**
 * Evaluates trials until it is told to stop.
 *
 * @param heard called whenever the tuner has answered
 * @returns the trials that it completed, each with its score
 */
async function work(client: TunerClient, study: string, id: string, isOver: () => boolean, heard: () => void = () => undefined): Promise<Map<string, number>> {
  const done = new Map<string, number>();
  while (!isOver()) {
    const trial = await client.next(study, id);
    if (!trial) throw new Error(`${study} ended`);
    heard();
    const epochs = trial.rung?.epochs ?? 3;
    for (let epoch = (trial.rung?.initialEpoch ?? 0) + 1; epoch <= epochs; epoch++) {
      await client.measure(trial.name, id, { epoch, metrics: [{ name: 'val_loss', value: lossOf(trial, epoch) }] });
      heard();
    }
    const { state } = await client.complete(trial.name, id, { outcome: { case: 'success', value: {} } });
    if (state.case !== 'succeeded') throw new Error(`${trial.name} is ${state.case ?? 'nothing'}`);
    done.set(trial.name, state.value.scores[0] ?? NaN);
  }
  return done;
}

async function all(client: TunerClient, study: string): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  for await (const trial of client.trials(study)) trials.push(trial);
  return trials;
}

const told = ({ name, values, rung, state }: Trial): unknown => [name.split('/').at(-1), values, rung && { ...rung, parent: rung.parent.split('/').at(-1) }, state.case === 'succeeded' && state.value.scores];

/** Kills a tuner with SIGKILL at random moments of a search, and then looks at what is left; runs as a test of the file that calls it. */
export function killedAtRandomMoments(kills: number, timeoutMs: number): void {
  const tuner = new TunerProcess();
  beforeAll(() => tuner.start());
  afterAll(() => tuner.stop());

  test(`killed at ${kills} random moments loses no trial, has none completed twice, and suggests as if nothing had happened (seed ${SEED})`, async () => {
    const client = tuner.client();
    await client.create(random, { studyId: 'random' });
    await client.create(hyperband, { studyId: 'hyperband' });
    await client.create({ ...random, seed: 8n }, { studyId: 'crowd' });
    let over = false;
    const isOver = (): boolean => over;
    let answers = 0;
    let enough = (): void => undefined;
    const heard = (): void => {
      if (--answers === 0) enough();
    };
    const alone = ['random', 'hyperband'].map((id) => work(client, `studies/${id}`, 'alone', isOver, heard));
    const crowd = Array.from({ length: CLIENTS }, (_, i) => work(client, 'studies/crowd', `client ${i}`, isOver, heard));
    const working = Promise.all([...alone, ...crowd]);
    working.catch(() => undefined); // Awaited below; a worker that fails before has its error told there.
    const random01 = draws(SEED);
    for (let kill = 0; kill < kills; kill++) {
      // After some answers, and then in the middle of whatever comes next.
      await Promise.race([working, new Promise<void>((resolve) => {
        enough = resolve;
        answers = 1 + Math.floor(40 * random01.next().value);
      })]);
      await delay(20 * random01.next().value);
      await tuner.kill();
      await tuner.start();
    }
    over = true;
    const [ofRandom, ofHyperband, ...ofCrowd] = await working;

    // Nobody's trial is another's, and what was acknowledged is what is there.
    const names = ofCrowd.flatMap((done) => [...done.keys()]);
    expect(new Set(names).size).toBe(names.length);
    const crowdTrials = await all(client, 'studies/crowd');
    const acknowledged = new Map(ofCrowd.flatMap((done) => [...done]));
    expect(crowdTrials.map(({ name }) => name)).toEqual(crowdTrials.map((_, i) => `studies/crowd/trials/${i}`));
    for (const { name, state, attempts } of crowdTrials) expect([name, state.case, state.case === 'succeeded' && state.value.scores[0], attempts]).toEqual([name, 'succeeded', acknowledged.get(name), 1]);
    expect(acknowledged.size).toBe(crowdTrials.length);
    expect(new Set(crowdTrials.map(({ values }) => JSON.stringify(values.map(({ value }) => String(value?.kind.value))))).size).toBe(crowdTrials.length);

    // The same search without any kill.
    for (const [id, spec, done] of [['random', random, ofRandom], ['hyperband', hyperband, ofHyperband]] as const) {
      const disturbed = await all(client, `studies/${id}`);
      expect(disturbed.length).toBe(done?.size);
      expect(disturbed.length).toBeGreaterThan(3);
      await client.create(spec, { studyId: `${id}-again` });
      let left = disturbed.length;
      await work(client, `studies/${id}-again`, 'alone', () => left-- === 0);
      expect((await all(client, `studies/${id}-again`)).map(told)).toEqual(disturbed.map(told));
    }
    // The log tells all of it, in order, once.
    const stop = new AbortController();
    const ends: string[] = [];
    for await (const { event } of client.watch('studies/crowd', 0n, stop.signal)) {
      if (event.case === 'trialChanged' && event.value.state.case === 'succeeded') ends.push(event.value.name);
      if (ends.length === crowdTrials.length) stop.abort();
    }
    expect(new Set(ends).size).toBe(ends.length);
    client.close();
  }, timeoutMs);
}
