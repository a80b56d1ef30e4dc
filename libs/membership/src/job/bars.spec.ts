import { barredWorkers, keepOut, liftTimed, type Bar } from './bars';
import { QUEUED } from './job-state';

const barred = (bars: readonly Bar[], nowMs: number): readonly string[] => barredWorkers({ ...QUEUED, barred: bars }, nowMs);

test('a worker is kept out for a minute, and is welcome afterwards', () => {
  const bars = keepOut([], ['a'], 'LATER', 1000);
  expect([1000, 60_999, 61_000].map((nowMs) => barred(bars, nowMs))).toEqual([['a'], ['a'], []]);
});

test('each time it is for twice as long, up to an hour, and others are not touched', () => {
  let bars = keepOut([], ['b'], 'LATER', 0);
  const lengthsMs = Array.from({ length: 9 }, () => {
    bars = keepOut(bars, ['a'], 'LATER', 0);
    return bars.find(({ worker }) => worker === 'a')?.untilMs;
  });
  expect(lengthsMs).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((minutes) => minutes * 60_000));
  expect(bars).toHaveLength(2);
  expect(barred(bars, 59_999)).toEqual(['b', 'a']);
});

test('who would do it again is never taken again', () => {
  const bars = keepOut([], ['a'], 'NEVER', 0);
  expect(barred(liftTimed(bars, 1e12), 1e15)).toEqual(['a']);
});

test.each([['ahead', 9e9], ['behind', -9e9]])('a clock that is %s ends what another clock timed, and the next time is longer all the same', (_where, nowMs) => {
  const lifted = liftTimed(keepOut([], ['a'], 'LATER', 0), nowMs);
  expect(barred(lifted, nowMs)).toEqual([]);
  expect(keepOut(lifted, ['a'], 'LATER', nowMs)).toEqual([{ worker: 'a', times: 2, untilMs: nowMs + 120_000 }]);
});
