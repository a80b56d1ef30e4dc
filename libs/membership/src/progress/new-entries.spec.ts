import fc from 'fast-check';
import { newEntries } from './new-entries';
import { comparePoints, PROGRESS_KINDS, type ProgressPoint } from './progress-point';

const point: fc.Arbitrary<ProgressPoint> = fc.record({ call: fc.nat(2), epoch: fc.nat(2), step: fc.nat(3), kind: fc.constantFrom(...PROGRESS_KINDS) });
const itself = (p: ProgressPoint): ProgressPoint => p;
const sorted = (points: readonly ProgressPoint[]): readonly ProgressPoint[] =>
  [...points].sort(comparePoints).filter((p, i, all) => i === 0 || comparePoints(p, all[i - 1] ?? p) !== 0);

test('whoever tells what, however often: each point is taken once, in order', () => {
  fc.assert(fc.property(fc.array(point, { maxLength: 40 }).map(sorted), fc.array(fc.tuple(fc.nat(40), fc.nat(40))), (job, reports) => {
    let committed: ProgressPoint | undefined;
    const stored: ProgressPoint[] = [];
    // Reports overlap, repeat and lag; none leaves a gap behind what is stored.
    for (const [from, length] of [...reports, [0, job.length] as const]) {
      const told = job.slice(Math.min(from, stored.length), from + length);
      const fresh = newEntries(committed, told, itself);
      if (!fresh) continue;
      stored.push(...fresh.entries);
      ({ committed } = fresh);
    }
    expect(stored).toEqual(job);
  }));
});

test('nothing new is nothing', () => {
  const p: ProgressPoint = { call: 0, epoch: 0, step: 3, kind: 'STEP' };
  expect(newEntries(p, [p, { ...p, step: 2 }], itself)).toBeUndefined();
  expect(newEntries(p, [], itself)).toBeUndefined();
  expect(newEntries(undefined, ['no point'], () => undefined)).toBeUndefined();
});
