/** Whatever happens to a job, in whatever order: its rules hold. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { slotsOf } from '@lockstep/reduction';
import { transition } from './job-machine';
import { heldWorkers, isStanding, QUEUED, type JobState } from './job-state';
import type { JobFacts, JobInput } from './job-transition';

const facts: JobFacts = {
  job: 'jobs/j', replicas: 5, strictNumerics: true, maxRestarts: 3, rendezvousTimeoutMs: 4000, regroupTimeoutMs: 6000, exportTimeoutMs: 5000,
  prepareTimeoutMs: 8000, absenceMs: 2000, suspicionMs: 1000, joinRetryMs: 500,
};
const WORKERS = ['a', 'b', 'c', 'd', 'e', 'f'];
const worker = fc.constantFrom(...WORKERS);
const ranks = fc.uniqueArray(fc.nat(4), { maxLength: 3 });
/** Relative to the job's own: mostly the one that runs. */
const behind = fc.constantFrom(0, 0, 0, 0, 1, -1);

type Step = { readonly afterMs: number; readonly input: (state: JobState) => JobInput };

const generationOf = (state: JobState): number => ('generation' in state ? state.generation : 0);

const input: fc.Arbitrary<(state: JobState) => JobInput> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(worker, fc.constantFrom('f', 'f', 'f', 'f', 'g')).map(([w, fingerprint]) => () => ({ kind: 'JOINED', worker: w, address: `${w}:1`, fingerprint }) as const) },
  { weight: 8, arbitrary: fc.tuple(worker, behind).map(([w, less]) => (state: JobState) => ({ kind: 'READY', worker: w, generation: generationOf(state) - less }) as const) },
  { weight: 4, arbitrary: fc.uniqueArray(worker, { minLength: 1 }).map((workers) => () => ({ kind: 'GROW', workers }) as const) },
  { weight: 5, arbitrary: worker.map((w) => () => ({ kind: 'PREPARED', worker: w }) as const) },
  { weight: 3, arbitrary: fc.tuple(worker, ranks, fc.boolean(), behind).map(([w, accused, joinDeferred, less]) => (state: JobState) => ({ kind: 'SUSPENDED', worker: w, generation: generationOf(state) - less, ranks: accused, why: 'broken', joinDeferred }) as const) },
  { weight: 4, arbitrary: fc.tuple(worker, fc.constantFrom('d', 'd', 'd', 'd', 'd', 'e'), fc.boolean()).map(([w, stateDigest, hasModel]) => () => ({ kind: 'FINISHED', report: { worker: w, stateDigest, steps: 3, hasModel } }) as const) },
  { weight: 1, arbitrary: worker.map((w) => () => ({ kind: 'MODEL_COMMITTED', worker: w }) as const) },
  { weight: 1, arbitrary: fc.tuple(worker, fc.constantFrom('WORKER' as const, 'WORKER' as const, 'MODULE' as const)).map(([w, fault]) => () => ({ kind: 'MEMBER_FAILED', worker: w, failure: { reason: 'X', message: 'x', fault } }) as const) },
  { weight: 3, arbitrary: worker.map((w) => () => ({ kind: 'WORKER_LOST', worker: w, detail: 'gone' }) as const) },
  { weight: 2, arbitrary: worker.map((w) => () => ({ kind: 'WORKER_ABSENT', worker: w, detail: 'away' }) as const) },
  { weight: 2, arbitrary: fc.tuple(worker, behind).map(([w, less]) => (state: JobState) => ({ kind: 'WORKER_BACK', worker: w, generation: generationOf(state) - less }) as const) },
  { weight: 1, arbitrary: worker.map((w) => () => ({ kind: 'LEAVING', worker: w }) as const) },
  { weight: 1, arbitrary: fc.constant(() => ({ kind: 'TAKEN_OVER' }) as const) },
  { weight: 6, arbitrary: fc.constant(() => ({ kind: 'TICK' }) as const) },
);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(fc.record({ afterMs: fc.oneof(fc.nat(50), fc.nat(3000)), input }), { minLength: 20, maxLength: 120, size: 'max' });

/** Cheaper than expect, which a property would call a million times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

test('invariants of every run', () => {
  const reached = new Set<string>();
  fc.assert(fc.property(steps, fc.uniqueArray(worker, { minLength: 1, maxLength: 5 }), (run, first) => {
    let state: JobState = QUEUED;
    let nowMs = 0;
    let newest = 0;
    const groups = new Map<number, string>();
    const running = new Set<string>();
    for (const { afterMs, input: make } of run) {
      nowMs += afterMs;
      const next = state.kind === 'QUEUED' ? { kind: 'START', workers: first, calls: { resumed: 0, stored: 0 } } as const : make(state);
      const result = transition(facts, state, next, nowMs);
      if (result.kind !== 'MOVED') continue;
      state = result.state;
      reached.add(state.kind);
      // What is stored is what is read.
      must(isDeepStrictEqual(JSON.parse(JSON.stringify(state)), state), 'a state survives being stored');
      for (const effect of result.effects) {
        if (effect.kind === 'START_CHILD') {
          must(!running.has(effect.worker), `${effect.worker} is started once`);
          running.add(effect.worker);
        } else if (effect.kind === 'STOP_CHILD') running.delete(effect.worker);
        else if (effect.kind === 'ASSIGN') {
          const group = JSON.stringify(effect.members);
          must((groups.get(effect.generation) ?? group) === group, `generation ${effect.generation} is one group`);
          groups.set(effect.generation, group);
        } else if (effect.kind === 'FENCE') {
          must(effect.generation > newest, `generation ${effect.generation} is new`);
          newest = effect.generation;
        } else if (effect.kind === 'COMMIT_MODEL') {
          if (state.kind !== 'EXPORTING') throw new Error(`${state.kind} commits`);
          const { members, finished, stateDigest, committer } = state;
          must(members.every((m) => finished.some((one) => one.worker === m.worker && one.stateDigest === stateDigest)), 'all have finished alike before anything is committed');
          must(finished.some((one) => one.worker === committer && one.hasModel), 'who commits has the model');
        }
      }
      const held = heldWorkers(state);
      must(new Set(held).size === held.length, 'nobody is held twice');
      must(running.size === held.length && held.every((one) => running.has(one)), `what runs (${[...running].join()}) is what is held (${held.join()})`);
      must(!('absences' in state) || state.absences.every((one) => held.includes(one.worker)), 'who is waited for is held');
      if (isStanding(state)) {
        const { members, entering } = state;
        must(entering.every((name) => members.some((m) => m.worker === name)), 'who enters is a member');
        must(members.some((m) => !entering.includes(m.worker)), 'somebody has the state');
        if (state.kind !== 'EXPORTING') {
          slotsOf(facts.replicas, members.map(({ range }) => range));
          must(members.every(({ rank }, i) => rank === i), 'members are ordered by rank');
        }
      }
      must(!('deadlineMs' in state) || Number.isFinite(state.deadlineMs), 'what waits has a deadline');
    }
  }), { numRuns: 2000, seed: 20_261_121 });
  expect([...reached].sort()).toEqual(['CONNECTING', 'EXPORTING', 'FAILED', 'QUEUED', 'RUNNING', 'STARTING', 'SUCCEEDED']);
});
