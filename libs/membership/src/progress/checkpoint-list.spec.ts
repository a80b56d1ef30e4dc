import fc from 'fast-check';
import { takeCheckpoint, type CheckpointMark } from './checkpoint-list';

const mark = (version: string, step: number, generation = 1): CheckpointMark => ({ version, step, generation });

test.each<[string, readonly CheckpointMark[], CheckpointMark, number, { kept: readonly string[]; dropped: readonly string[] } | undefined]>([
  ['the first one', [], mark('v1', 5), 1, { kept: ['v1'], dropped: [] }],
  ['a newer one', [mark('v1', 5)], mark('v2', 10), 1, { kept: ['v2'], dropped: ['v1'] }],
  ['one that is known', [mark('v1', 5)], mark('v1', 5), 1, undefined],
  ['an older one, told late', [mark('v2', 10)], mark('v1', 5), 1, undefined],
  ['an older one where there is room', [mark('v2', 10)], mark('v1', 5), 2, { kept: ['v2', 'v1'], dropped: [] }],
  ['the same step of a newer generation', [mark('v1', 5, 1)], mark('v2', 5, 2), 1, { kept: ['v2'], dropped: ['v1'] }],
])('%s', (_what, kept, told, keep, change) => {
  const taken = takeCheckpoint(kept, told, keep);
  expect(taken && { kept: taken.kept.map((c) => c.version), dropped: taken.dropped.map((c) => c.version) }).toEqual(change);
});

test('whatever the order of the reports, the newest are kept, the newest first', () => {
  fc.assert(fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }), fc.integer({ min: 1, max: 4 }), (steps, keep) => {
    const kept = steps.reduce<readonly CheckpointMark[]>((list, step) => takeCheckpoint(list, mark(`v${step}`, step), keep)?.kept ?? list, []);
    expect(kept.map(({ step }) => step)).toEqual([...steps].sort((a, b) => b - a).slice(0, keep));
  }));
});
