import fc from 'fast-check';
import { supersededNumbers } from './index';

test.each<readonly [string, readonly number[], readonly number[], readonly number[]]>([
  ['nothing is there', [], [3], []],
  ['what is older and not kept goes', [5, 4, 3, 2, 1], [5, 3], [4, 2, 1]],
  ['what is newer than the kept ones stays', [7, 6, 5, 4], [5], [4]],
  ['everything goes when nothing is kept', [3, 1], [], [3, 1]],
  ['what is kept need not be there', [4, 2], [9, 8], [4, 2]],
])('%s', (_, present, kept, expected) => {
  expect(supersededNumbers(present, kept)).toEqual(expected);
});

test('a choice that is carried out late takes nothing away that a later one keeps', () => {
  // A list keeps the newest ones and takes only newer ones; numbers between were never taken.
  fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(), (keep, steps, i, j) => {
    const lists: (readonly number[])[] = [];
    for (const step of steps) {
      const last = lists.at(-1) ?? [];
      lists.push([(last[0] ?? 0) + step, ...last].slice(0, keep));
    }
    const [early = 0, late = 0] = [i % lists.length, j % lists.length].sort((a, b) => a - b);
    const all = Array.from({ length: 70 }, (_, n) => n + 1);
    const gone = supersededNumbers(all, lists[early] ?? []);
    expect(gone.filter((number) => lists[late]?.includes(number))).toEqual([]);
  }));
});
