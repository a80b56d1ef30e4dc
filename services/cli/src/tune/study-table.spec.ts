import fc from 'fast-check';
import { displayWidth } from '../terminal-text';
import { StudyProgress } from './study-progress';
import { studyTable } from './study-table';
import { changed, event, measured, running, study, succeeded, trial, valuesOf } from './testing/study-messages';

const START_MS = 1_700_000_000_000;

function progressOf(runningCount: number, succeededCount: number): StudyProgress {
  const progress = new StudyProgress();
  progress.apply(event(0, { case: 'created', value: study({ maxTrials: 500 }) }));
  for (let i = 0; i < succeededCount; i++) progress.apply(changed(1, trial(i, succeeded(i / 8), { values: valuesOf({ rate: 0.012345678, units: 8 }) })));
  for (let i = 0; i < runningCount; i++) progress.apply(changed(1, trial(succeededCount + i, running, { values: valuesOf({ units: 16 }) })));
  return progress;
}

test('never more lines than there is room for, and as many trials as fit', () => {
  fc.assert(fc.property(fc.nat(60), fc.nat(60), fc.integer({ min: 1, max: 40 }), (runningCount, succeededCount, lines) => {
    const table = studyTable(progressOf(runningCount, succeededCount), lines, START_MS);
    expect(table.length).toBeLessThanOrEqual(lines);
    if (lines >= 6) expect(table.length).toBe(3 + Math.min(lines - 3, runningCount + Math.min(succeededCount, 50)));
  }));
});

test('who runs, how far, for how long; then the best', () => {
  const progress = progressOf(1, 2);
  progress.apply(measured(3, 2, 4, { val_loss: 0.25 }));
  expect(studyTable(progress, 20, START_MS + 66_000)).toEqual([
    'studies/s  active  2/500 trials  1 running  2 succeeded',
    'TRIAL  STATE      EPOCH  SCORE  RUNG  TIME       VALUES',
    '2      running    4      0.25         1 min 5 s  units 16',
    '0      best              0                       rate 0.01235  units 8',
    '1      succeeded         0.125                   rate 0.01235  units 8',
    'score: val_loss',
  ]);
});

test('running trials that do not fit are counted', () => {
  const table = studyTable(progressOf(30, 30), 13, START_MS);
  expect(table.filter((line) => line.includes('running  '))).toHaveLength(1 + 6);
  expect(table.at(-1)).toBe('and 24 more running; score: val_loss');
});

test('names and values of others cannot break the table', () => {
  const progress = progressOf(0, 0);
  progress.apply(changed(1, trial(0, succeeded(1), { values: valuesOf({ 'a\nb\u001b[2J': '\u202etxt\r', größe: '宽度', long: 'x'.repeat(500) }) })));
  const line = studyTable(progress, 20, START_MS)[2] ?? '';
  expect(line).toContain('a\\nb\\u{1b}[2J \\u{202e}txt\\r  größe 宽度');
  expect(displayWidth(line)).toBeLessThan(120);
});

test('with several objectives none is called the best', () => {
  const progress = new StudyProgress();
  progress.apply(event(0, { case: 'created', value: study({ objectives: [{ metric: 'loss', direction: 1 }, { metric: 'size', direction: 1 }] }) }));
  for (let i = 0; i < 2; i++) progress.apply(changed(1, trial(i, succeeded(i, -2 * i))));
  expect(studyTable(progress, 20, START_MS).slice(2, 4).map((line) => line.split(/ {2,}/)[1])).toEqual(['succeeded', 'succeeded']);
});
