import { choiceParameter, floatParameter, intParameter } from '../space/make-parameter';
import type { SearchSpace } from '../space/search-space';
import type { Value } from '../space/value';
import { completeTrial } from './complete';
import { extendStudy } from './direct';
import { loss, SPACE, Story, study, violationsOf } from './testing/story';
import type { TrackedTrial } from './tracked-trial';

describe('values that a run has found', () => {
  const y = floatParameter('y', { min: 0, max: 1 });
  const z = choiceParameter('z', ['a', 'b']);
  const child = intParameter('n', { min: 1, max: 9, conditions: [{ parent: 'z', values: ['a'] }] });
  const complete = (story: Story, values: readonly (readonly [string, Value])[], parameters: SearchSpace = [y, z, child]): TrackedTrial => {
    const { number } = story.begin('a');
    return story.do((s) => completeTrial(s, number, 'a', loss(1), { parameters, values: new Map(values) }, 0));
  };

  test.each<[string, readonly (readonly [string, Value])[], string, RegExp]>([
    ['outside its range', [['y', 9]], 'values["y"]', /"y" cannot be 9: it ranges from 0 to 1/],
    ['no choice', [['z', 'no']], 'values["z"]', /"no", which is not one of its 2 choices/],
    ['not an integer', [['n', 1.5]], 'values["n"]', /it is an integer from 1 to 9/],
    ['of a parameter that is not active', [['z', 'b'], ['n', 4]], 'values["n"]', /"n" is not active with these values/],
    ['of nothing that the space has', [['w', 1]], 'values["w"]', /no parameter "w"/],
  ])('%s are refused by name, and nothing has changed', (_what, values, field, words) => {
    const story = new Story(study());
    expect(violationsOf(() => complete(story, values))).toEqual([{ field, description: expect.stringMatching(words) }]);
    expect([story.now.space, story.now.pending.get(0)?.state.kind]).toEqual([{ kind: 'KNOWN', space: SPACE }, 'RUNNING']);
  });

  test('lie in the space as it is after the growth; what is left out has its default', () => {
    expect([...complete(new Story(study()), [['y', 0.25], ['n', 3]]).values]).toEqual([['x', 0], ['y', 0.25], ['z', 'a'], ['n', 3]]);
  });

  test('are kept also where another run has shown the parameter before', () => {
    const story = new Story(study());
    const before = story.begin('b');
    complete(story, []);
    const trial = story.do((s) => completeTrial(s, before.number, 'b', loss(1), { parameters: [y], values: new Map([['y', 0.75]]) }, 0));
    expect(trial.values.get('y')).toBe(0.75);
    expect(violationsOf(() => complete(story, [['y', -1]], []))).toMatchObject([{ field: 'values["y"]' }]);
  });

  test('do not overrule what the trial was given, and fidelity is none of them', () => {
    expect([...complete(new Story(study()), [['x', 0.9], ['tuner/epochs', 3]], [y]).values]).toEqual([['x', 0], ['y', 0]]);
  });

  test('faults of the parameters themselves are named by where they stand in the report', () => {
    const story = new Story(study());
    expect(violationsOf(() => complete(story, [], [...SPACE, floatParameter('bad', { min: 2, max: 1 })]))).toMatchObject([{ field: 'parameters[1].max' }]);
    expect(violationsOf(() => complete(story, [], [y, intParameter('x', { min: 0, max: 1 })]))).toMatchObject([{ field: 'parameters[1]' }]);
    expect(violationsOf(() => extendStudy(story.now, { limits: {}, parameters: [child], algorithmGrew: false }, 0))).toMatchObject([{ field: 'parameters[0].conditions[0].parent' }]);
  });
});
