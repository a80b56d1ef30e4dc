import { checkLimits, mostFailuresInARow, type StudyLimits, type StudyProgress } from './limits';
import { decideRetry, RETRY_DEFAULTS } from './retry-policy';
import type { TrialState } from './trial-record';

describe('limits', () => {
  const progress: StudyProgress = { trialCount: 10, epochCount: 100, durationMs: 5000, endings: [] };
  test.each<readonly [Partial<StudyLimits>, Partial<StudyProgress>, string]>([
    [{}, {}, 'WITHIN'], [{ maxTrials: 11 }, {}, 'WITHIN'], [{ maxTrials: 10 }, {}, 'TRIALS'], [{ maxTrials: 0 }, { trialCount: 0 }, 'TRIALS'],
    [{ maxEpochs: 100 }, {}, 'EPOCHS'], [{ maxDurationMs: 5000 }, {}, 'DURATION'], [{ maxDurationMs: 5001, maxEpochs: 101 }, {}, 'WITHIN'],
    [{ maxTrials: 10 }, { endings: ['FAILED', 'FAILED', 'FAILED'] }, 'FAILED'],
  ])('%j at %j: %s', (limits, changed, expected) => {
    const check = checkLimits({ maxConsecutiveFailures: 3, ...limits }, { ...progress, ...changed });
    expect(check.kind === 'REACHED' ? check.limit : check.kind).toBe(expected);
  });

  test.each<readonly [readonly TrialState['kind'][], number]>([
    [[], 0], [['FAILED', 'FAILED'], 2], [['FAILED', 'SUCCEEDED', 'FAILED', 'FAILED'], 2], [['FAILED', 'FAILED', 'FAILED', 'SUCCEEDED'], 3],
    [['FAILED', 'CANCELLED', 'FAILED'], 2], [['FAILED', 'INFEASIBLE', 'FAILED'], 1],
  ])('%j has %d failures in a row', (endings, expected) => { expect(mostFailuresInARow(endings)).toBe(expected); });
});

describe('retries', () => {
  test.each([[0, 1, 'RETRY'], [1, 0, 'RETRY'], [2, 0, 'FAIL'], [1, 5, 'RETRY'], [0, 6, 'FAIL']])('%d errors and %d vanished workers: %s', (errors, losses, expected) => {
    expect(decideRetry(RETRY_DEFAULTS, { errors, losses }).kind).toBe(expected);
  });

  test('without retries, as KerasTuner has it, the first error is the last', () => {
    expect(decideRetry({ ...RETRY_DEFAULTS, maxRetries: 0 }, { errors: 1, losses: 0 })).toEqual({ kind: 'FAIL', why: 'it failed 1 times; the study allows 0 retries' });
  });
});
