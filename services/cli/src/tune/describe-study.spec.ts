import { Direction, type Trial } from '@lockstep/contract';
import { Output } from '../output';
import { captured } from '../testing/captured';
import { describeStudy } from './describe-study';
import { study, succeeded, trial, valuesOf } from './testing/study-messages';

const TWO = { objectives: [{ metric: 'loss', direction: Direction.MIN }, { metric: 'size', direction: Direction.MIN }] };

const described = (spec: Parameters<typeof study>[0], trials: readonly Trial[]): string => {
  const { stream, text } = captured();
  describeStudy(study(spec, 'completed'), trials, false, new Output(false, stream, stream));
  return text();
};

test('with one objective: the best trial', () => {
  expect(described({}, [trial(0, succeeded(0.5), { values: valuesOf({ units: 8 }) }), trial(1, succeeded(0.25), { values: valuesOf({ units: 16 }) })]))
    .toMatch(/\nbest +trial 1: 0.25\n +units 16\n/);
});

test('with several: those that no other beats, that with the best sum first; no single one is the best', () => {
  const text = described(TWO, [[1, 1], [0.5, 3], [2, 2], [3, 0.25]].map(([loss = 0, size = 0], i) => trial(i, succeeded(loss, size), { values: valuesOf({ units: 8 }) })));
  expect(text).not.toMatch(/^best /m);
  expect(text).toContain('no other trial beats these 3 in every objective');
  expect(text.slice(text.indexOf('TRIAL')).trim().split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([['TRIAL', 'LOSS', 'SIZE'], ['0', '1', '1'], ['3', '3', '0.25'], ['1', '0.5', '3']]);
});

test('a long front is cut, and where the rest is is said', () => {
  const text = described(TWO, Array.from({ length: 25 }, (_, i) => trial(i, succeeded(i, -i))));
  expect(text).toContain('and 15 more: lockstep studies best s\n');
});
