import fc from 'fast-check';
import { containsRange, rangeLength } from './range';
import { children, foldTree, subtreeRoots } from './tree';

const text = (replicas: number, absent: readonly number[] = []): string | undefined =>
  foldTree({ from: 0, to: replicas }, (i) => (absent.includes(i) ? undefined : `${i}`), (l, r) => `(${l}+${r})`);

test.each([
  [1, [], '0'],
  [2, [], '(0+1)'],
  [3, [], '((0+1)+2)'],
  [4, [], '((0+1)+(2+3))'],
  [5, [], '(((0+1)+2)+(3+4))'],
  [8, [], '(((0+1)+(2+3))+((4+5)+(6+7)))'],
  [4, [1], '(0+(2+3))'],
  [4, [0, 1], '(2+3)'],
  [4, [0, 3], '(1+2)'],
  [3, [2], '(0+1)'],
])('the tree of %i replicas without %j is %s', (replicas, absent, expected) => {
  expect(text(replicas, absent)).toBe(expected);
});

test('all absent: there is no sum', () => {
  expect(text(4, [0, 1, 2, 3])).toBeUndefined();
});

test('absent is not zero: the sign of a zero survives', () => {
  const sum = foldTree<number>({ from: 0, to: 2 }, (i) => (i === 0 ? -0 : undefined), (l, r) => l + r);
  expect(Object.is(sum, -0)).toBe(true);
});

test('a leaf has no children', () => {
  expect(() => children({ from: 3, to: 4 })).toThrow('[3, 4) is a leaf');
});

test.each([
  [8, { from: 0, to: 8 }, [[0, 8]]],
  [8, { from: 1, to: 8 }, [[1, 2], [2, 4], [4, 8]]],
  [5, { from: 0, to: 2 }, [[0, 2]]],
  [5, { from: 1, to: 4 }, [[1, 2], [2, 3], [3, 4]]],
  [3, { from: 1, to: 3 }, [[1, 2], [2, 3]]],
])('roots of %i replicas in %j', (replicas, range, expected) => {
  expect(subtreeRoots(replicas, range)).toEqual(expected.map(([from, to]) => ({ from, to })));
});

const world = fc.integer({ min: 1, max: 64 }).chain((replicas) => fc.tuple(
  fc.constant(replicas), fc.integer({ min: 0, max: replicas - 1 }), fc.integer({ min: 1, max: replicas }),
)).map(([replicas, from, length]) => ({ replicas, range: { from, to: Math.min(replicas, from + length) } }));

test('subtree roots cut the range, stay inside it, and are maximal', () => {
  fc.assert(fc.property(world, ({ replicas, range }) => {
    const roots = subtreeRoots(replicas, range);
    expect(roots.reduce((sum, root) => sum + rangeLength(root), 0)).toBe(rangeLength(range));
    roots.forEach((root, i) => {
      expect(containsRange(range, root)).toBe(true);
      expect(root.from).toBe(i === 0 ? range.from : roots[i - 1]?.to);
    });
    expect(roots.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(replicas + 1)));
  }));
});

test('a fold with known subtrees is the fold over leaves', () => {
  fc.assert(fc.property(world, ({ replicas, range }) => {
    const add = (l: string, r: string): string => `(${l}+${r})`;
    const fold = (node: { from: number; to: number }): string | undefined => foldTree(node, (i) => `${i}`, add);
    const roots = subtreeRoots(replicas, range);
    const known = foldTree({ from: 0, to: replicas }, (i) => `${i}`, add,
      (node) => (roots.some((root) => root.from === node.from && root.to === node.to) ? { value: fold(node) } : undefined));
    expect(known).toBe(fold({ from: 0, to: replicas }));
  }));
});
