import { labelViolations, MAX_LABELS, roleFault, sortLabels, typeFault } from './index';

test.each([
  ['a good list', [{ key: 'team', value: 'x' }, { key: 'a/b.c-d_e', value: '' }], []],
  ['no key', [{ key: '', value: 'x' }], ['labels[0].key']],
  ['a key with a space', [{ key: 'a b', value: 'x' }], ['labels[0].key']],
  ['a key twice', [{ key: 'a', value: 'x' }, { key: 'a', value: 'y' }], ['labels[1].key']],
  ['a long value', [{ key: 'a', value: 'ß'.repeat(513) }], ['labels[0].value']],
  ['too many', Array.from({ length: MAX_LABELS + 1 }, (_, i) => ({ key: `k${i}`, value: '' })), ['labels']],
])('labels: %s', (_, labels, expected) => {
  expect(labelViolations(labels).map((v) => v.field)).toEqual(expected);
});

test('labels are kept by key', () => {
  expect(sortLabels([{ key: 'b', value: '1' }, { key: 'a', value: '2' }, { key: 'B', value: '3' }]).map((l) => l.key)).toEqual(['B', 'a', 'b']);
});

test.each([['Model', true], ['tfx.Model-2', true], ['', false], ['2x', false], ['a b', false], ['x'.repeat(129), false]])('type %j: %s', (type, good) => {
  expect(typeFault(type) === undefined).toBe(good);
});

test.each([['model', true], ['0', true], ['', false], ['a/b', false]])('role %j: %s', (key, good) => {
  expect(roleFault(key) === undefined).toBe(good);
});
