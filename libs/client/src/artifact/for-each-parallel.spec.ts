import fc from 'fast-check';
import { forEachParallel } from './for-each-parallel';

test('every item once, never more than the limit at a time', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), async (items, limit) => {
    const seen: number[] = [];
    let running = 0;
    let most = 0;
    await forEachParallel(items, limit, async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      seen.push(item);
      running--;
    });
    expect([...seen].sort()).toEqual([...items].sort());
    expect(most).toBeLessThanOrEqual(limit);
  }));
});

test('after a failure nothing new begins, and what is under way ends first', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const failure = new Error('on purpose');
  await expect(forEachParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw failure;
    for (let i = 0; i < 10; i++) await Promise.resolve();
    ended.push(item);
  })).rejects.toBe(failure);
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([0]);
});
