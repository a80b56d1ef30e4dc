import fc from 'fast-check';
import type { ResyncNote } from './resync-note';
import { planResync, ResyncError, type ResyncPlan } from './resync-plan';

const applied = (completed: number, exact = true): ResyncNote => ({ completed, first: 0, standing: 'APPLIED', outcomeElements: 7, exact });
const served = (completed: number): ResyncNote => ({ ...applied(completed), standing: 'SERVED' });
const joiner: ResyncNote = { completed: 99, first: 0, standing: 'JOINER', outcomeElements: 0, exact: false };

test.each<[string, readonly ResyncNote[], ResyncPlan]>([
  ['equal members need nothing', [applied(5), applied(5)], { completed: 5, outcome: undefined, state: undefined, deferred: [] }],
  ['who lacks the last outcome gets it from the first that has it', [applied(4), applied(5), applied(5)], { completed: 5, outcome: { source: 1, elements: 7, laggards: [0] }, state: undefined, deferred: [] }],
  ['one that was served has the outcome too', [served(5), applied(4)], { completed: 5, outcome: { source: 0, elements: 7, laggards: [1] }, state: undefined, deferred: [] }],
  ['the state comes from one that has applied the last outcome', [served(5), applied(5), joiner], { completed: 5, outcome: undefined, state: { source: 1, joiners: [2] }, deferred: [] }],
  ['and at a moment when it is exact', [applied(5, false), applied(5), joiner], { completed: 5, outcome: undefined, state: { source: 1, joiners: [2] }, deferred: [] }],
  ['a joiner is put off when nobody can give the state', [applied(5, false), served(5), joiner, joiner], { completed: 5, outcome: undefined, state: undefined, deferred: [2, 3] }],
  ['a laggard has not the newest state', [applied(5, false), applied(4), joiner], { completed: 5, outcome: { source: 0, elements: 7, laggards: [1] }, state: undefined, deferred: [2] }],
  ['what a joiner counts means nothing', [applied(0), joiner], { completed: 0, outcome: undefined, state: { source: 0, joiners: [1] }, deferred: [] }],
])('%s', (_rule, notes, plan) => {
  expect(planResync(notes)).toEqual(plan);
});

test('members more than one operation apart were never in one group: both are named', () => {
  expect(() => planResync([applied(3), applied(5)])).toThrow(new ResyncError('rank 0 has completed 3 operations, rank 1 5: members of a group are never more than one apart'));
});

test('a group of joiners alone has no state', () => {
  expect(() => planResync([joiner, joiner])).toThrow(ResyncError);
});

test('whatever a group\'s notes are, its sources have what they are to give, and nobody is forgotten', () => {
  const any = fc.record({ completed: fc.constantFrom(7, 8), first: fc.nat(9), standing: fc.constantFrom('APPLIED' as const, 'SERVED' as const, 'JOINER' as const), outcomeElements: fc.nat(9), exact: fc.boolean() });
  fc.assert(fc.property(fc.array(any, { minLength: 1, maxLength: 8 }).filter((notes) => notes.some((n) => n.standing !== 'JOINER')), (notes) => {
    const { completed, outcome, state, deferred } = planResync(notes);
    const joiners = notes.flatMap(({ standing }, rank) => (standing === 'JOINER' ? [rank] : []));
    const behind = notes.flatMap((n, rank) => (n.standing !== 'JOINER' && n.completed < completed ? [rank] : []));
    expect(outcome?.laggards ?? []).toEqual(behind);
    if (outcome) expect(notes[outcome.source]).toMatchObject({ completed, outcomeElements: outcome.elements });
    if (state) expect(notes[state.source]).toMatchObject({ completed, standing: 'APPLIED', exact: true });
    expect([...(state?.joiners ?? []), ...deferred]).toEqual(joiners);
  }));
});
