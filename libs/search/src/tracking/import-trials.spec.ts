import { floatParameter, intParameter } from '../space/make-parameter';
import { growSpace } from './direct';
import { importTrials } from './import-trials';
import { foreign, NOTHING_NEW, Story, study, violationsOf } from './testing/story';

describe('imported trials', () => {
  test('are taken up once: the same values with the same scores again add nothing, and say so', () => {
    const story = new Story(study());
    const trials = [foreign(0.5, 1), foreign(0.25, 2), foreign(0.5, 1)];
    const first = importTrials(story.now, { ...NOTHING_NEW, trials }, []);
    expect(first.result).toEqual({ numbers: [0, 1], skipped: ['x = 0.5: studies/s/trials/0 was imported with the same values and scores'] });
    const taken = first.changes.flatMap((change) => (change.kind === 'TRIAL' ? [change.trial] : []));
    const again = importTrials(first.study, { ...NOTHING_NEW, trials }, taken);
    expect([again.changes, again.result.numbers, again.result.skipped.length]).toEqual([[], [], 3]);
    // Another score of the same values is news: it tells of noise.
    expect(importTrials(first.study, { ...NOTHING_NEW, trials: [foreign(0.5, 3)] }, taken).result.numbers).toEqual([2]);
  });

  test('are recognised when the space has grown since; a trial that the study itself tried is no import', () => {
    const story = new Story(study());
    const trials = [foreign(0.5, 1)];
    const first = importTrials(story.now, { ...NOTHING_NEW, trials }, []);
    const taken = first.changes.flatMap((change) => (change.kind === 'TRIAL' ? [change.trial] : []));
    const grown = growSpace(first.study, [floatParameter('y', { min: 0, max: 1 })]).study;
    expect(importTrials(grown, { ...NOTHING_NEW, trials }, taken).result.numbers).toEqual([]);
    expect(importTrials(grown, { ...NOTHING_NEW, trials }, taken.map((trial) => ({ ...trial, origin: 'ALGORITHM' }))).result.numbers).toEqual([1]);
  });

  test('a space that does not fit is named by where it comes from', () => {
    expect(violationsOf(() => importTrials(study(), { trials: [], parameters: [intParameter('x', { min: 0, max: 1 })], field: 'keras_tuner.oracle_json' }, []))).toMatchObject([{ field: 'keras_tuner.oracle_json[0]' }]);
  });
});
