import { LocalCollective } from '@lockstep/reduction';
import { ActivityMeter } from './activity-meter';
import { LinkCells } from './link-cells';
import { WatchedCollective } from './watched-collective';

const shown = (meter: ActivityMeter, nowMs: number): unknown => {
  const { waits, inCall, forMs, usualStepMs } = meter.look(nowMs);
  return { waits, inCall, forMs, usualStepMs };
};

test('a wait lasts as long as it is the same one', () => {
  const cells = new LinkCells();
  cells.inCall = true;
  const meter = new ActivityMeter(cells, 0);
  cells.whileWaiting(() => {
    expect(shown(meter, 500)).toEqual({ waits: true, inCall: true, forMs: 0, usualStepMs: 0 });
    expect(shown(meter, 12_500)).toMatchObject({ waits: true, forMs: 12_000 });
  });
  expect(shown(meter, 13_000)).toMatchObject({ waits: false, forMs: 0 });
  cells.whileWaiting(() => undefined);
  cells.whileWaiting(() => { expect(shown(meter, 13_500)).toMatchObject({ waits: true, forMs: 0 }); });
});

test('who computes does so since its last step or wait', () => {
  const cells = new LinkCells();
  const meter = new ActivityMeter(cells, 0);
  cells.step();
  meter.look(1000);
  expect(shown(meter, 9000)).toMatchObject({ waits: false, inCall: false, forMs: 8000 });
});

test('the usual step is the median of the last ones: a slow one is not usual', () => {
  const cells = new LinkCells();
  cells.inCall = true;
  const meter = new ActivityMeter(cells, 0);
  let nowMs = 0;
  for (const [steps, ms] of [[5, 500], [5, 500], [4, 500], [1, 60_000]] as const) {
    for (let i = 0; i < steps; i++) cells.step();
    meter.look(nowMs += ms);
  }
  expect(meter.look(nowMs).usualStepMs).toBe(125);
});

test('a watched collective is its inner one; its waits show, also those that fail', () => {
  const cells = new LinkCells();
  const seen: boolean[] = [];
  const inner = new LocalCollective(2);
  const wait = inner.wait.bind(inner);
  inner.wait = (bucket) => {
    seen.push(cells.isWaiting);
    return wait(bucket);
  };
  const watched = new WatchedCollective(inner, cells);
  expect([watched.replicas, watched.rank, watched.worldSize, watched.range, watched.roots]).toEqual([2, 0, 1, { from: 0, to: 2 }, [{ from: 0, to: 2 }]]);
  watched.begin({ position: { call: 0, epoch: 0, phase: 'TRAIN', step: 0 }, bucketLengths: [1], present: [true, true] });
  watched.input(0, 0).fill(7);
  watched.submit(0);
  expect([...watched.wait(0)]).toEqual([7]);
  expect(() => watched.wait(3)).toThrow('bucket 3');
  expect([seen, cells.isWaiting, cells.waits]).toEqual([[true, true], false, 4]);
});
