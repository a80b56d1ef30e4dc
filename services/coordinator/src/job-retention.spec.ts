import { createLogger } from '@lockstep/rpc';
import { JobRetention } from './job-retention';

const DAY_MS = 86_400_000;

function retention(keepMs: number, batches: readonly (readonly string[] | Error)[]) {
  const asked: [number, number][] = [];
  const left = [...batches];
  const sweeper = new JobRetention({
    deleteEnded: (beforeMs, limit) => {
      asked.push([beforeMs, limit]);
      const next = left.shift() ?? [];
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
  }, keepMs, { nowMs: () => 100 * DAY_MS }, createLogger('test', 'silent'));
  return { sweeper, asked };
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `jobs/${i}`);

test('asks for jobs that ended before the time, until there are no more', async () => {
  const { sweeper, asked } = retention(30 * DAY_MS, [names(20), names(3)]);
  await Promise.all([sweeper.sweep(), sweeper.sweep()]);
  expect(asked).toEqual([[70 * DAY_MS, 20], [70 * DAY_MS, 20]]);
});

test('a failure costs that attempt', async () => {
  const { sweeper, asked } = retention(DAY_MS, [new Error('the database is away'), names(1)]);
  await sweeper.sweep();
  await sweeper.sweep();
  expect(asked).toHaveLength(2);
});

test('0 keeps all', async () => {
  const { sweeper, asked } = retention(0, []);
  await sweeper.sweep();
  expect(asked).toEqual([]);
});
