import type { CallsAtStart, JobState } from './job-state';
import { callsToTell } from './told-calls';

const kinds = (...names: readonly string[]): readonly { readonly kind: string }[] => names.map((kind) => ({ kind }));
const state = (callsAtStart: CallsAtStart): JobState => ({ kind: 'QUEUED', restarts: 0, generation: 0, endMs: 0, barred: [], callsAtStart });

test.each<[string, CallsAtStart, readonly string[], number]>([
  ['all, in a job that has run since its beginning', { resumed: 0, stored: 0 }, ['fit', 'evaluate', 'fit'], 3],
  ['none of those that a job has to do again', { resumed: 0, stored: 3 }, ['fit', 'evaluate', 'fit'], 0],
  ['those that its checkpoint has', { resumed: 2, stored: 3 }, ['fit', 'evaluate', 'fit'], 2],
  ['all again, once it has come further than before', { resumed: 0, stored: 3 }, ['fit', 'evaluate', 'fit', 'fit'], 4],
  ['not the export at the end', { resumed: 0, stored: 0 }, ['fit', 'export'], 1],
  ['an export in the middle', { resumed: 0, stored: 0 }, ['fit', 'export', 'fit'], 3],
])('a joiner is told of %s', (_which, callsAtStart, stored, told) => {
  const calls = kinds(...stored);
  expect(callsToTell(state(callsAtStart), calls)).toEqual(calls.slice(0, told));
});

test('nobody is told of an ended job', () => {
  expect(callsToTell({ kind: 'SUCCEEDED' }, kinds('fit'))).toEqual([]);
});
