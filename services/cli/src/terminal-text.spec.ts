import { cutToWidth, displayWidth, padToWidth, printable } from './terminal-text';

test.each([['plain', 5], ['größe', 5], ['gro\u0308ße', 5], ['宽度', 4], ['a👍b', 4], ['', 0]])('%j takes %d columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([['abcdef', 4, 'abc…'], ['abcd', 4, 'abcd'], ['宽度宽度', 5, '宽度…'], ['宽度宽度', 4, '宽…'], ['abc', 0, ''], ['abc', 1, '…']])('%j in %d columns is %j', (text, columns, cut) => {
  expect(cutToWidth(text, columns)).toBe(cut);
  expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
});

test('wide text is padded by its columns', () => {
  expect(`${padToWidth('宽', 4)}|`).toBe('宽  |');
});

test('nothing that a terminal would obey is left', () => {
  const every = Array.from({ length: 0x2100 }, (_, i) => String.fromCodePoint(i)).join('');
  // eslint-disable-next-line no-control-regex
  expect(printable(every)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
  expect(printable('a\u001b]0;title\u0007')).toBe('a\\u{1b}]0;title\\u{7}');
});
