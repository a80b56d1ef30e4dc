import { decideDeletion, type Deletion } from './index';

const version = 'artifacts/a/versions/3';
const now: Deletion = { timeMs: 5, reason: 'old' };
const before: Deletion = { timeMs: 1, reason: 'older' };

test.each<readonly [string, Deletion | undefined, readonly string[], string]>([
  ['a version that nobody reads', undefined, [], 'DELETE'],
  ['one that a running execution reads', undefined, ['executions/e'], 'REFUSED'],
  ['one that was deleted', before, [], 'UNCHANGED'],
  ['one that was deleted and had readers', before, ['executions/e'], 'UNCHANGED'],
])('deleting %s', (_, earlier, readers, expected) => {
  expect(decideDeletion(version, earlier, readers, now).kind).toBe(expected);
});

test('a refusal names the version and who reads it', () => {
  expect(decideDeletion(version, undefined, ['executions/e', 'executions/f'], now)).toMatchObject({
    message: expect.stringMatching(/artifacts\/a\/versions\/3 .*executions\/e, executions\/f read it/), facts: { resource: version, execution: 'executions/e' },
  });
});
