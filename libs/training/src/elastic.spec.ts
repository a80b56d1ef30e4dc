import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import type { ScheduledGeneration } from './testing/elastic-schedule';
import type { ProgramName } from './testing/programs';
import { runElasticGroup } from './testing/run-elastic-group';
import { runProgram, type ProgramOutcome } from './testing/run-program';

const SEED = 5;
const REPLICAS = 4;
const OPTIMIZERS = { fitTwice: 'adam', fitDatasets: 'rmsprop', fitWithCallbacks: 'momentum' } as const;

const undisturbed = new Map<ProgramName, ProgramOutcome>();

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const program of ['fitTwice', 'fitDatasets', 'fitWithCallbacks'] as const) {
    undisturbed.set(program, await runProgram(tf, new LocalCollective(REPLICAS), { program, optimizer: OPTIMIZERS[program], seed: SEED }));
  }
});

/** Operation 1 makes the members equal, 2 agrees on the first call; the steps follow. In a group with a joiner, 2 and 3 hand over the state. */
const SCHEDULES: readonly (readonly [string, readonly ScheduledGeneration[]])[] = [
  ['the chief dies before it contributes', [{ members: [0, 1, 2], fault: { kind: 'DIES_BEFORE', member: 0, operation: 4 } }, { members: [1, 2] }]],
  ['one dies after it contributed', [{ members: [0, 1, 2], fault: { kind: 'DIES_AFTER_SUBMIT', member: 1, operation: 5 } }, { members: [0, 2] }]],
  ['one dies when all have the sums', [{ members: [0, 1, 2], fault: { kind: 'DIES_AFTER', member: 2, operation: 3 } }, { members: [0, 1] }]],
  ['one dies, and another is left without the last sums', [{ members: [0, 1, 2], fault: { kind: 'LEAVES_ONE_BEHIND', member: 0, operation: 6, laggard: 2 } }, { members: [1, 2] }]],
  ['the only one that has the last sums dies', [{ members: [0, 1], fault: { kind: 'LEAVES_ONE_BEHIND', member: 0, operation: 6, laggard: 1 } }, { members: [1] }]],
  ['one dies while the members agree on the first call', [{ members: [0, 1, 2], fault: { kind: 'DIES_BEFORE', member: 1, operation: 2 } }, { members: [0, 2] }]],
  ['a member is left without the word of an agreement', [{ members: [0, 1, 2], fault: { kind: 'LEAVES_ONE_BEHIND', member: 1, operation: 2, laggard: 2 } }, { members: [0, 2] }]],
  ['one joins, then the others die', [{ members: [0, 1] }, { members: [0, 1, 2], fault: { kind: 'DIES_BEFORE', member: 0, operation: 7 } }, { members: [1, 2], fault: { kind: 'DIES_AFTER', member: 1, operation: 6 } }, { members: [2] }]],
  ['a lone member takes in three', [{ members: [0] }, { members: [0, 1] }, { members: [0, 1, 2] }, { members: [2, 1, 0, 3] }]],
  ['the joiner dies while it is handed the state', [{ members: [0, 1] }, { members: [0, 1, 2], fault: { kind: 'DIES_AFTER_SUBMIT', member: 2, operation: 2 } }, { members: [0, 1] }]],
  ['the source dies while it hands the state to a joiner', [{ members: [0, 1] }, { members: [0, 1, 2], fault: { kind: 'DIES_AFTER_SUBMIT', member: 0, operation: 3 } }, { members: [1, 2] }]],
  ['the source dies when the joiner has the state', [{ members: [0, 1] }, { members: [0, 1, 2], fault: { kind: 'DIES_AFTER', member: 0, operation: 3 } }, { members: [2, 1] }]],
  ['one dies in the first moment of a generation', [{ members: [0, 1, 2, 3], fault: { kind: 'DIES_BEFORE', member: 3, operation: 1 } }, { members: [0, 1, 2], fault: { kind: 'DIES_AFTER_SUBMIT', member: 0, operation: 1 } }, { members: [1, 2] }]],
];

describe.each(['fitTwice', 'fitDatasets', 'fitWithCallbacks'] as const)('%s', (program) => {
  test.each(SCHEDULES)('%s: the digest of an undisturbed run', async (_name, generations) => {
    const outcomes = await runElasticGroup(REPLICAS, generations, { backend: 'cpu', program, optimizer: OPTIMIZERS[program], seed: SEED });
    const reference = undisturbed.get(program);
    const last = generations.at(-1);
    const survivors = [...outcomes].filter(([member]) => last?.members.includes(member));
    for (const [member, outcome] of survivors) {
      expect([member, outcome]).toEqual([member, expect.objectContaining({ kind: 'FINISHED', digest: reference?.digest, result: reference?.result })]);
      // Every step from its first one on was told once, and consumed what it consumes undisturbed; who began with the job has all.
      const visits = outcome.kind === 'FINISHED' ? outcome.visits : [];
      expect(visits).toEqual(reference?.visits.slice(-visits.length));
      if (generations[0]?.members.includes(member)) expect(visits).toHaveLength(reference?.visits.length ?? 0);
    }
    expect(survivors.length).toBe(last?.members.length);
    // Each fault happened: who was to die has died.
    const victims = generations.flatMap(({ fault }) => (fault ? [fault.member] : []));
    for (const member of victims) expect(outcomes.get(member)?.kind).toBe('DIED');
  });
});
