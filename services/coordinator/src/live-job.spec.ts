import { create } from '@bufbuild/protobuf';
import { FinishedCallSchema, Numerics, TrainJobSchema } from '@lockstep/contract';
import { QUEUED, transition, type JobState } from '@lockstep/membership';
import { decodeMachine, encodeMachine, factsOf, fromStoredCall, toStoredCall } from './live-job';
import { SETTINGS } from './testing/coordinator-world';

const record = (job: Parameters<typeof create<typeof TrainJobSchema>>[1]) => ({ job: create(TrainJobSchema, { name: 'jobs/a', ...job }), requestId: '', token: new Uint8Array(), shardTables: [] });
const FACTS = factsOf(record({ spec: { replicas: 4, maxRestarts: 3, numerics: Numerics.STRICT } }), SETTINGS);

/** A state with all that a state can have. */
function grown(): JobState {
  let state: JobState = QUEUED;
  for (const input of [
    { kind: 'START', workers: ['workers/a', 'workers/b'], calls: { resumed: 1, stored: 2 } },
    ...['a', 'b'].map((w) => ({ kind: 'JOINED', worker: `workers/${w}`, address: `${w}:1`, fingerprint: 'f' }) as const),
    ...['a', 'b'].map((w) => ({ kind: 'READY', worker: `workers/${w}`, generation: 1 }) as const),
    { kind: 'GROW', workers: ['workers/c'] },
    { kind: 'JOINED', worker: 'workers/c', address: 'c:1', fingerprint: 'f' },
    { kind: 'WORKER_ABSENT', worker: 'workers/b', detail: 'away' },
    { kind: 'SUSPENDED', worker: 'workers/a', generation: 1, ranks: [1], why: 'gone', joinDeferred: false },
  ] as const) {
    const moved = transition(FACTS, state, input, 1000.5);
    if (moved.kind !== 'MOVED') throw new Error(`${input.kind}: ${moved.kind}`);
    state = moved.state;
  }
  return state;
}

test.each([['one that waits', QUEUED, undefined], ['one that runs', grown(), { kind: 'STEP', call: 1, epoch: 2, step: 3 } as const]])('the machine of %s comes back whole', (_what, state, committed) => {
  expect(decodeMachine(encodeMachine(state, committed))).toEqual({ state, committed });
  expect(decodeMachine(undefined)).toBeUndefined();
});

test('a finished call comes back whole', () => {
  const call = create(FinishedCallSchema, { number: 3, kind: 'fit', label: 'fit()', digest: 'd', resultJson: '{"loss":[0.1]}' });
  expect([toStoredCall(call).number, fromStoredCall(toStoredCall(call))]).toEqual([3, call]);
});

test('what the machine must know comes from the spec', () => {
  expect(FACTS).toMatchObject({ job: 'jobs/a', replicas: 4, maxRestarts: 3, strictNumerics: true, absenceMs: 3000 });
  expect(FACTS).not.toHaveProperty('maxRuntimeMs');
  expect(factsOf(record({ spec: { replicas: 1, numerics: Numerics.RELAXED, maxRuntime: { seconds: 2n, nanos: 500_000_000 } } }), SETTINGS)).toMatchObject({ strictNumerics: false, maxRuntimeMs: 2500, maxRestarts: 0 });
  expect(() => factsOf(record({}), SETTINGS)).toThrow('jobs/a has no spec');
});
