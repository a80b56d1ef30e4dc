import { withCurves } from './measured-trials';
import { study, succeeded, trial } from './testing/study-messages';

const rung = (parent: string) => ({ iteration: 0, bracket: 1, round: 1, initialEpoch: 1, epochs: 3, parent });

test('fetched are the 100 best trials, and those that their training went on from', async () => {
  // The worst one, 150, is the parent of the best.
  const trials = Array.from({ length: 200 }, (_, i) => trial(i, succeeded(i === 199 ? -1 : i === 150 ? 1000 : i), i === 199 ? { rung: rung('studies/s/trials/150') } : {}));
  const fetched: string[] = [];
  const measured = await withCurves({ getTrial: (name) => {
    fetched.push(name);
    return Promise.resolve(trial(Number(name.split('/').at(-1)), succeeded(0), { measurements: [{ epoch: 1 }] }));
  } }, study(), trials);
  const expected = [...Array.from({ length: 99 }, (_, i) => i), 150, 199];
  expect(fetched.map((name) => Number(name.split('/').at(-1))).sort((a, b) => a - b)).toEqual(expected);
  expect(measured.flatMap(({ measurements }, i) => (measurements.length > 0 ? [i] : []))).toEqual(expected);
});

test('trials that have not succeeded fill up what is left', async () => {
  const trials = [trial(0, { case: 'failed', value: { error: 'e' } }), trial(1, succeeded(1)), trial(2, { case: 'running', value: {} })];
  const fetched: string[] = [];
  await withCurves({ getTrial: (name) => {
    fetched.push(name);
    return Promise.resolve(trial(0, succeeded(0)));
  } }, study(), trials);
  expect(fetched.sort()).toEqual(['studies/s/trials/0', 'studies/s/trials/1', 'studies/s/trials/2']);
});
