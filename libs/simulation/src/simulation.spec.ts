import { PLANTED_BUGS } from './cluster/bugs';
import { KINDS } from './faults/draw-faults';
import { drawPlan, workerHost } from './plan';
import { runPlan, runSeed } from './run-seed';

/** A slice of what `npm run simulate` runs; `node libs/simulation/run.mjs --seed N --trace` replays one. */
const SLICE = 150;
const SEEDS_A_BUG = 1000;

test(`${SLICE} seeds: whatever happens, the bytes are those of an undisturbed run, and no invariant is broken`, () => {
  const totals = { faults: new Map<string, number>(), joins: 0, regroups: 0, restarts: 0, takeovers: 0, succeeded: 0 };
  for (let seed = 0; seed < SLICE; seed++) {
    const report = runSeed(seed);
    expect([seed, report.violations]).toEqual([seed, []]);
    for (const [name, count] of report.faults) totals.faults.set(name, (totals.faults.get(name) ?? 0) + count);
    totals.joins += report.joins;
    totals.regroups += report.generations - 1;
    totals.restarts += report.restarts;
    totals.takeovers += report.takeovers;
    if (report.outcome === 'SUCCEEDED') totals.succeeded++;
  }
  // The seeds disturbed what they were to disturb, in every way there is, and nearly all jobs ended well.
  const kinds = KINDS.flatMap(([, kind]) => (kind === 'PARTITION' ? ['PARTITION_ONE_WAY', 'PARTITION_TWO_WAY'] : [kind]));
  expect([...totals.faults.keys()].sort()).toEqual([...kinds].sort());
  expect(totals.joins).toBeGreaterThan(SLICE / 4);
  expect(totals.regroups).toBeGreaterThan(SLICE / 2);
  expect(totals.restarts).toBeGreaterThan(SLICE / 10);
  expect(totals.takeovers).toBeGreaterThan(SLICE / 10);
  expect(totals.succeeded).toBeGreaterThan(SLICE * 0.9);
});

// 679: a grace for somebody whom nobody held kept a lost member from being given up. 4184: one that was connected was evicted for
// missing two that were not connected with each other. The others: sums that waited for a slow peer were written over by the
// next round. The rules have specs of their own: seeds draw other runs when the drawing changes.
test.each([679, 1961, 2957, 3138, 4184])('seed %i, which found a fault of the real cores, finds none', (seed) => {
  expect(runSeed(seed).violations).toEqual([]);
});

test('the same seed gives the same run', () => {
  expect(runSeed(7)).toEqual(runSeed(7));
});

test('who leaves or joins in good order costs no step', () => {
  let [leaves, joins] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const plan = drawPlan(seed);
    const workers = plan.arrivalsMs.length;
    const report = runPlan({ ...plan, faults: plan.faults.slice(0, 3).map(({ trigger }, i) => ({ trigger, fault: { kind: 'LEAVE', worker: (seed + i) % workers, backMs: 2000 } })) });
    expect([seed, report.violations]).toEqual([seed, []]);
    // The last to leave takes the job with it, to its checkpoint.
    if (report.restarts === 0) expect([seed, report.redos]).toEqual([seed, 0]);
    leaves += report.faults.get('LEAVE') ?? 0;
    joins += report.joins;
  }
  expect(leaves).toBeGreaterThan(40);
  expect(joins).toBeGreaterThan(20);
});

test('a clock that is set, ahead or back, costs nobody his place', () => {
  for (const [seed, jumpMs] of [[1, 600_000], [2, -60_000], [3, 600_000]] as const) {
    const plan = drawPlan(seed);
    const hosts = [...plan.arrivalsMs.map((_, i) => workerHost(i)), 'coordinator-0'];
    const report = runPlan({ ...plan, faults: hosts.map((host, i) => ({ trigger: { kind: 'AT', ms: 500 + 100 * i }, fault: { kind: 'CLOCK_JUMP', host, jumpMs } })) });
    expect([seed, report.violations, report.outcome, report.restarts]).toEqual([seed, [], 'SUCCEEDED', 0]);
  }
});

test.each(PLANTED_BUGS)(`the planted bug %s is found within ${SEEDS_A_BUG} seeds`, (bug) => {
  let found: number | undefined;
  for (let seed = 0; seed < SEEDS_A_BUG && found === undefined; seed++) if (runSeed(seed, { bug }).violations.length > 0) found = seed;
  expect(found).toBeDefined();
});
