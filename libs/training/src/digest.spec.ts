import { LocalCollective, evenPart, type Position } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { Reducer } from './step/reducer';
import { disposeContribution } from './step/contribution';
import { hasNative, type TestBackend } from './testing/load-backend';
import type { OptimizerName } from './testing/models';
import type { ProgramName } from './testing/programs';
import { runProgram, type ProgramOutcome, type ProgramRun } from './testing/run-program';
import { runGroup, settleGroup } from './testing/run-group';

const SEED = 5;

const everyone = (worldSize: number, run: ProgramRun): ProgramRun[] => new Array<ProgramRun>(worldSize).fill(run);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const alone = (replicas: number, run: ProgramRun): Promise<ProgramOutcome> => runProgram(tf, new LocalCollective(replicas), run);

describe.each<{ program: ProgramName; optimizer: OptimizerName; replicas: number; snapshotAt: Position }>([
  { program: 'fitTwice', optimizer: 'adam', replicas: 4, snapshotAt: { call: 2, epoch: 1, phase: 'TRAIN', step: 3 } },
  { program: 'fitTwice', optimizer: 'momentum', replicas: 3, snapshotAt: { call: 0, epoch: 1, phase: 'TRAIN', step: 5 } },
  { program: 'fitDatasets', optimizer: 'rmsprop', replicas: 4, snapshotAt: { call: 3, epoch: 1, phase: 'TRAIN', step: 2 } },
  { program: 'fitDatasets', optimizer: 'sgd', replicas: 3, snapshotAt: { call: 0, epoch: 1, phase: 'TRAIN', step: 4 } },
])('$program with $optimizer at V=$replicas', ({ program, optimizer, replicas, snapshotAt }) => {
  const run: ProgramRun = { program, optimizer, seed: SEED, snapshotAt };
  let reference: ProgramOutcome;

  beforeAll(async () => {
    reference = await alone(replicas, run);
  });

  test.each([1, 2, 3, 4].filter((worldSize) => worldSize <= replicas))('%i members give the digest and results of one process', async (worldSize) => {
    const outcomes = await runGroup({ replicas, runs: everyone(worldSize, run) });
    outcomes.forEach((outcome, rank) => {
      expect(outcome.digest).toBe(reference.digest);
      expect(outcome.result).toBe(reference.result);
      expect(outcome.visits).toEqual(reference.visits);
      expect(outcome.snapshot?.digest).toBe(reference.snapshot?.digest);
      const owned = evenPart(replicas, worldSize, rank);
      expect(outcome.computed).toEqual(reference.computed.map((all) => all.filter((replica) => replica >= owned.from && replica < owned.to)));
    });
    // Together the members computed every present replica of every step exactly once.
    expect(outcomes[0]?.computed.map((_, step) => outcomes.flatMap((outcome) => outcome.computed[step] ?? []))).toEqual(reference.computed);
  });

  test('a process that starts from a state in the middle of a call ends with the same digest and results', async () => {
    const joined = await alone(replicas, { program, optimizer, seed: SEED, resume: snapshotOf(reference) });
    expect(joined.digest).toBe(reference.digest);
    expect(joined.result).toBe(reference.result);
    expect(joined.computed.length).toBeLessThan(reference.computed.length);
  });

  test('a group that starts from that state does so too', async () => {
    const outcomes = await runGroup({ replicas, runs: everyone(2, { program, optimizer, seed: SEED, resume: snapshotOf(reference) }) });
    expect(outcomes.map((outcome) => outcome.digest)).toEqual([reference.digest, reference.digest]);
  });

  test('a step that is computed twice gives the same digest', async () => {
    const { value: once } = Object.getOwnPropertyDescriptor(Reducer.prototype, 'reduce') as { value: Reducer['reduce'] };
    const spy = jest.spyOn(Reducer.prototype, 'reduce').mockImplementation(function (this: Reducer, ...args) {
      disposeContribution(once.apply(this, args));
      return once.apply(this, args);
    });
    try {
      expect((await alone(replicas, run)).digest).toBe(reference.digest);
      expect(spy).toHaveBeenCalled();
    } finally {
      spy.mockRestore();
    }
  });

  test('another seed gives another digest', async () => {
    const other = await alone(replicas, { ...run, seed: SEED + 1 });
    expect(other.digest).not.toBe(reference.digest);
    expect(other.result).not.toBe(reference.result);
  });
});

describe.each<{ backend: TestBackend; here: boolean }>([
  { backend: 'wasm', here: true },
  { backend: 'tensorflow', here: hasNative() },
])('on the $backend backend', ({ backend, here }) => {
  // Skipped, and counted, where the native addon is not built.
  (here ? test : test.skip).each<ProgramName>(['fitTwice', 'fitDatasets'])('%s: two members give the digest and results of one', async (program) => {
    const run: ProgramRun = { program, optimizer: 'adam', seed: SEED };
    const [alone] = await runGroup({ backend, replicas: 4, runs: [run] });
    const pair = await runGroup({ backend, replicas: 4, runs: [run, run] });
    expect(pair.map(({ digest, result }) => ({ digest, result }))).toEqual([alone, alone].map((one) => ({ digest: one?.digest, result: one?.result })));
  });
});

test('members that make different calls both fail, and name both calls', async () => {
  const [first, second] = await settleGroup({
    replicas: 4,
    runs: [{ program: 'fitTwice', optimizer: 'sgd', seed: SEED }, { program: 'fitDatasets', optimizer: 'sgd', seed: SEED }],
  });
  for (const settled of [first, second]) {
    expect(settled).toMatchObject({ status: 'rejected', reason: { reason: 'CALL_MISMATCH' } });
    const message = String(settled?.status === 'rejected' ? settled.reason : '');
    expect(message).toMatch(/fit\(.*rows=101/);
    expect(message).toMatch(/fitDataset\(/);
  }
});

function snapshotOf(outcome: ProgramOutcome): NonNullable<ProgramOutcome['snapshot']> {
  if (!outcome.snapshot) throw new Error('the run came past no position at which a state was to be taken');
  return outcome.snapshot;
}
