import { CollectiveError, type CollectiveErrorReason } from './collective';
import { LocalCollective } from './local-collective';
import type { Position } from './position';

const position: Position = { call: 1, epoch: 2, phase: 'TRAIN', step: 3 };

test('one member holds the whole tree as its one root', () => {
  const collective = new LocalCollective(5);
  expect(collective).toMatchObject({ replicas: 5, rank: 0, worldSize: 1, range: { from: 0, to: 5 }, roots: [{ from: 0, to: 5 }] });
});

test('what is put in comes out, for each bucket', () => {
  const collective = new LocalCollective(2);
  collective.begin({ position, bucketLengths: [3, 1], present: [true, true] });
  collective.input(0, 0).set([1, -0, 3]);
  collective.input(1, 0).set([4]);
  collective.submit(0);
  collective.submit(1);
  expect(Array.from(collective.wait(1))).toEqual([4]);
  expect(Array.from(collective.wait(0))).toEqual([1, -0, 3]);
});

test('another layout gets other buckets', () => {
  const collective = new LocalCollective(1);
  collective.begin({ position, bucketLengths: [3], present: [true] });
  collective.begin({ position, bucketLengths: [2, 7], present: [true] });
  expect([collective.wait(0).length, collective.wait(1).length]).toEqual([2, 7]);
});

const reasonOf = (act: () => unknown): CollectiveErrorReason | undefined => {
  try {
    act();
  } catch (error) {
    if (error instanceof CollectiveError) return error.reason;
    throw error;
  }
  return undefined;
};

test('a bucket that does not exist is refused, and so is everything after close', async () => {
  const collective = new LocalCollective(1);
  expect(reasonOf(() => collective.input(0, 0))).toBe('PROTOCOL');
  collective.begin({ position, bucketLengths: [3], present: [true] });
  expect(reasonOf(() => collective.wait(1))).toBe('PROTOCOL');
  expect(() => collective.input(0, 1)).toThrow('a single member has one root');
  await collective.close();
  expect(reasonOf(() => collective.wait(0))).toBe('PROTOCOL');
});

test('a job without replicas is refused', () => {
  expect(() => new LocalCollective(0)).toThrow(RangeError);
});
