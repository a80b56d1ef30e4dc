import fc from 'fast-check';
import { admit, type Applicant } from './admission';
import { dealSeats } from './group';
import { LeaseTable } from './leases';

const job = (name: string, minWorkers: number, maxWorkers = minWorkers, barred: readonly string[] = [], avoided: readonly string[] = []): Applicant => ({ job: name, minWorkers, maxWorkers, barred, avoided });

test.each<[string, Applicant[], string[], string[]]>([
  ['takes up to its maximum', [job('a', 1, 3)], ['1', '2', '3', '4'], ['a:1,2,3']],
  ['waits for its minimum, all or none', [job('a', 3)], ['1', '2'], []],
  ['makes the younger wait behind it', [job('a', 3), job('b', 1)], ['1', '2'], []],
  ['leaves the rest to the younger', [job('a', 1), job('b', 1, 2)], ['1', '2', '3'], ['a:1', 'b:2,3']],
  ['leaves whom it bars to the younger', [job('a', 1, 2, ['2']), job('b', 1)], ['1', '2', '3'], ['a:1,3', 'b:2']],
  ['takes others than whom it avoids', [job('a', 1, 2, [], ['1']), job('b', 1)], ['1', '2', '3'], ['a:2,3', 'b:1']],
  ['takes whom it avoids for want of others', [job('a', 1, 2, [], ['1'])], ['1', '2'], ['a:1,2']],
  ['waits rather than take whom it bars', [job('a', 2, 3, ['1']), job('b', 1)], ['1', '2'], []],
])('the oldest job %s', (_name, queue, free, expected) => {
  expect(admit(queue, free).map((a) => `${a.job}:${a.workers.join(',')}`)).toEqual(expected);
});

test('no worker is dealt twice, and every job gets between its minimum and maximum', () => {
  const applicant = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 }));
  fc.assert(fc.property(fc.array(applicant, { maxLength: 8 }), fc.integer({ min: 0, max: 12 }), (jobs, freeCount) => {
    const queue = jobs.map(([min, more], i) => job(`j${i}`, min, min + more));
    const free = Array.from({ length: freeCount }, (_, i) => `w${i}`);
    const admitted = admit(queue, free);
    const dealt = admitted.flatMap((a) => a.workers);
    expect(new Set(dealt).size).toBe(dealt.length);
    admitted.forEach((a, i) => {
      expect(a.job).toBe(queue[i]?.job);
      expect(a.workers.length).toBeGreaterThanOrEqual(queue[i]?.minWorkers ?? NaN);
      expect(a.workers.length).toBeLessThanOrEqual(queue[i]?.maxWorkers ?? NaN);
    });
  }));
});

test('seats cover the replicas in order, and more workers than replicas are refused', () => {
  const seats = dealSeats(7, ['a', 'b', 'c']);
  expect(seats.flatMap((s) => [s.range.from, s.range.to])).toEqual([0, 2, 2, 4, 4, 7]);
  expect(() => dealSeats(2, ['a', 'b', 'c'])).toThrow('3 workers cannot share 2 logical replicas');
});

test('a lease expires after silence, not before', () => {
  const leases = new LeaseTable(3000);
  leases.heard('a', 0);
  leases.heard('b', 2000);
  expect(leases.expired(3000)).toEqual([]);
  expect(leases.expired(3500)).toEqual([{ holder: 'a', silentMs: 3500 }]);
  leases.forget('a');
  for (const nowMs of [5000, 6500, 8000]) leases.expired(nowMs);
  expect(leases.expired(9000)).toEqual([{ holder: 'b', silentMs: 7000 }]);
});

test('silence is nobody\'s fault while nobody listened', () => {
  const leases = new LeaseTable(3000);
  leases.heard('a', 1000);
  expect(leases.expired(1500)).toEqual([]);
  // Paused for 8.5 s: what a said meanwhile is still to be read.
  expect(leases.expired(10_000)).toEqual([]);
  expect(leases.silentMs('a', 10_000)).toBe(500);
  expect(leases.expired(11_500)).toEqual([]);
  expect(leases.expired(12_600)).toEqual([{ holder: 'a', silentMs: 3100 }]);
});

test.each([['back', -3_600_000], ['ahead', 3_600_000]])('a clock that is set %s makes nobody silent, and hides no silence', (_way, jumpMs) => {
  const leases = new LeaseTable(3000);
  leases.heard('a', 0);
  leases.heard('b', 1900);
  expect(leases.expired(2000)).toEqual([]);
  expect(leases.expired(2000 + jumpMs)).toEqual([]);
  expect(leases.expired(3100 + jumpMs)).toEqual([{ holder: 'a', silentMs: 3100 }]);
});
