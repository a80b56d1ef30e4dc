import { CheckpointSchedule } from './checkpoint-schedule';

const dues = (schedule: CheckpointSchedule, times: readonly number[]): readonly boolean[] => times.map((nowMs) => schedule.stepDone(nowMs));

test('by steps', () => {
  expect(dues(new CheckpointSchedule({ everySteps: 3, everyMs: 0 }, 0), [1, 2, 3, 4, 5, 6])).toEqual([false, false, true, false, false, true]);
});

test('by time, at the first step after it', () => {
  expect(dues(new CheckpointSchedule({ everySteps: 0, everyMs: 100 }, 0), [50, 120, 130, 219, 220])).toEqual([false, true, false, false, true]);
});

test('by whichever comes first, and both begin anew', () => {
  expect(dues(new CheckpointSchedule({ everySteps: 2, everyMs: 100 }, 0), [100, 110, 120, 130])).toEqual([true, false, true, false]);
});

test('never, when neither is asked for', () => {
  expect(dues(new CheckpointSchedule({ everySteps: 0, everyMs: 0 }, 0), [1, 1e9])).toEqual([false, false]);
});
