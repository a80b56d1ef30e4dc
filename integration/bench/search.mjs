// Suite `search`: simple regret of our Bayesian optimisation against KerasTuner's and Optuna's on functions of known minimum, for the same seeds in one run;
// suggestions with many trials pending; the time of a suggestion; and Hyperband with the Gaussian process against plain Hyperband.
import { setImmediate } from 'node:timers/promises';
import { startRival } from './lib/asked-rival.mjs';
import { installRivals } from './lib/install-rivals.mjs';
import { FUNCTIONS, noiseOf } from './lib/search-functions.mjs';
import { quantile } from './lib/statistics.mjs';

/** What must be built before. */
export const needs = ['libs/search'];

/** Seeds that nobody has tuned on. */
const FIRST_SEED = 9000;
const FULL = { seeds: 12, functions: Object.keys(FUNCTIONS), workers: [4, 16], batchSeeds: 12, batchResults: 100, sizes: [[100, 100], [200, 60], [1000, 60], [2000, 40]], sweeps: 12 };
const QUICK = { seeds: 2, functions: ['branin', 'ackley5-moved', 'mixed'], workers: [4, 16], batchSeeds: 3, batchResults: 60, sizes: [[100, 40], [1000, 20], [2000, 10]], sweeps: 3 };
/** Reported, but not part of the means: its regrets are so small that it would decide them alone. */
const APART = ['mixed'];
/** Below, regrets are equal: their logarithms would weigh rounding. */
const REGRET_MIN = 1e-8;
const TARGETS = { kerastuner: 1 / 20, 'optuna-gp': 0.2, batch: 3, epochs: 1 / 5 };
const LATENCY_TARGETS_MS = [[100, 100], [Infinity, 400]];

const median = (samples) => quantile(samples, 0.5);
const digits = (value) => Number(value.toPrecision(3));
const spread = (samples) => `${digits(median(samples))} [${digits(quantile(samples, 0.25))}, ${digits(quantile(samples, 0.75))}]`;
const geometricMean = (ratios) => Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);

const planOf = (quick) => quick ? QUICK : FULL;
const ours = () => import('./lib/our-search.mjs');

/** Each returns rows {name, ours, rival, unit, ratio, target, pass}. */
export const parts = {
  regret: async ({ quick, report }) => compareRegrets(planOf(quick), await installRivals(report), report),
  batches: async ({ quick, report }) => compareBatches(planOf(quick), (await ours()).searchOurs, report),
  latency: async ({ quick, report }) => measureLatency(planOf(quick), (await ours()).suggestionTimes, report),
  hyperband: async ({ quick, report }) => [await compareSweeps(planOf(quick), report)],
};

async function compareRegrets({ functions, seeds }, { kerastuner, optuna }, report) {
  const { searchOurs } = await import('./lib/our-search.mjs');
  const rivals = [];
  try {
    for (const [name, environment] of [['kerastuner', kerastuner], ['optuna-gp', optuna], ['optuna-tpe', optuna]]) {
      rivals.push(await startRival(name, environment));
      report(`ready: ${rivals.at(-1).about}`);
    }
    const contenders = [{ name: 'ours', search: async (fn, seed) => { await setImmediate(); return searchOurs(fn, seed); } }, ...rivals.map((rival) => ({ name: rival.name, search: (fn, seed) => searchRival(rival, fn, seed) }))];
    // Nothing in it is timed: everyone goes through the same studies at a pace of its own.
    const regrets = new Map();
    await Promise.all(contenders.map(async ({ name, search }) => {
      for (let round = 0; round < seeds; round++) {
        for (const fn of functions) {
          const regret = Math.max(REGRET_MIN, await search(fn, FIRST_SEED + round));
          regrets.set(`${fn} ${name}`, [...regrets.get(`${fn} ${name}`) ?? [], regret]);
        }
        report(`  ${name}: seed ${round + 1} of ${seeds}`);
      }
    }));
    return judgeRegrets(functions, contenders.map(({ name }) => name), (fn, name) => regrets.get(`${fn} ${name}`), report);
  } finally {
    for (const rival of rivals) await rival.stop();
  }
}

/** The regret of the best score that a rival was told, which is what it calls its best trial. */
async function searchRival(rival, fn, seed) {
  const { space, regret, trials, noise } = FUNCTIONS[fn];
  await rival.begin({ space, trials, seed });
  let best = { score: Infinity, regret: Infinity };
  for (let i = 0; i < trials; i++) {
    const { values } = await rival.ask();
    const truth = regret(values);
    const score = truth + noise * noiseOf(seed, i);
    if (score < best.score) best = { score, regret: truth };
    await rival.tell(score);
  }
  return best.regret;
}

function judgeRegrets(functions, names, samplesOf, report) {
  report('simple regret, median [quartiles]:');
  for (const fn of functions) {
    report(`  ${fn} after ${FUNCTIONS[fn].trials} trials: ${names.map((name) => `${name} ${spread(samplesOf(fn, name))}`).join(', ')}`);
  }
  const ratio = (fn, rival) => median(samplesOf(fn, 'ours')) / median(samplesOf(fn, rival));
  const rows = functions.map((fn) => {
    const better = ['kerastuner', 'optuna-gp'].toSorted((a, b) => median(samplesOf(fn, a)) - median(samplesOf(fn, b)))[0];
    return row(`${fn}: regret against the better of KerasTuner and Optuna GP, ${better}`, median(samplesOf(fn, 'ours')), median(samplesOf(fn, better)), 'regret', 1, report);
  });
  const counted = functions.filter((fn) => !APART.includes(fn));
  for (const rival of ['kerastuner', 'optuna-gp']) {
    const mean = (name) => geometricMean(counted.map((fn) => median(samplesOf(fn, name))));
    rows.push(row(`geometric mean of ${counted.length} functions against ${rival}`, mean('ours'), mean(rival), 'regret', TARGETS[rival], report));
  }
  report(`  beside them, against optuna-tpe: ${digits(geometricMean(counted.map((fn) => ratio(fn, 'optuna-tpe'))))}`);
  return rows;
}

/**
 * Trials that run at once against one after the other, with the same number of results at the last suggestion: as many as make it worth while to run
 * 16 at once (with the 30 to 50 of the other part, 16 have begun before anything is known, and half of all when three scores are).
 */
function compareBatches({ functions, workers, batchSeeds, batchResults }, searchOurs, report) {
  const counted = functions.filter((fn) => !APART.includes(fn));
  const run = (fn, count) => Array.from({ length: batchSeeds }, (_, i) => Math.max(REGRET_MIN, searchOurs(fn, FIRST_SEED + i, count, batchResults)));
  const sequential = new Map(counted.map((fn) => [fn, median(run(fn, 1))]));
  return workers.map((count) => {
    const regrets = counted.map((fn) => {
      const samples = run(fn, count);
      report(`  ${fn}, ${count} at once: ${spread(samples)}, one after the other ${digits(sequential.get(fn))}`);
      return median(samples);
    });
    return row(`${count} trials at once against one after the other, geometric mean`, geometricMean(regrets), geometricMean([...sequential.values()]), 'regret', TARGETS.batch, report);
  });
}

/** There is no rival in it: the limit stands in its place. */
function measureLatency({ sizes }, suggestionTimes, report) {
  suggestionTimes(60, 1, 30); // The just-in-time compiler comes into its stride.
  return sizes.map(([size, count]) => {
    const times = suggestionTimes(size, FIRST_SEED, count);
    const limit = LATENCY_TARGETS_MS.find(([most]) => size <= most)[1];
    report(`  a suggestion with ${size} trials: median ${digits(median(times))} ms, p90 ${digits(quantile(times, 0.9))} ms`);
    return row(`p99 of a suggestion with ${size} trials in 6 dimensions, limit ${limit} ms`, quantile(times, 0.99), limit, 'ms', 1, report);
  });
}

async function compareSweeps({ sweeps }, report) {
  const { sweep, regretAfter } = await import('./lib/learning-curves.mjs');
  const plain = [];
  const ours = [];
  for (let i = 0; i < sweeps; i++) {
    plain.push(sweep('RANDOM', FIRST_SEED + i));
    ours.push(sweep('GAUSSIAN', FIRST_SEED + i));
  }
  const total = plain[0].at(-1).epochs;
  const after = (curves, epochs) => median(curves.map((curve) => regretAfter(curve, epochs)));
  const goal = after(plain, total);
  for (const share of [0.05, 0.1, 0.2, 0.5, 1]) report(`  Hyperband after ${Math.round(share * total)} epochs: with the process ${digits(after(ours, share * total))}, plain ${digits(after(plain, share * total))}`);
  const stops = [...new Set(ours.flatMap((curve) => curve.map(({ epochs }) => epochs)))].sort((a, b) => a - b);
  // When the median has come there to stay.
  const lastAbove = stops.findLastIndex((epochs) => after(ours, epochs) > goal);
  const needed = stops[lastAbove + 1] ?? Infinity;
  return row('epochs of Hyperband with the process to the final regret of plain Hyperband', needed, total, 'epochs', TARGETS.epochs, report);
}

function row(name, ours, rival, unit, target, report) {
  const ratio = ours / rival;
  const pass = ratio <= target;
  report(`  ${name}: ${digits(ours)} / ${digits(rival)} = ${digits(ratio)}, target <= ${digits(target)}: ${pass ? 'met' : 'MISSED'}`);
  return { name, ours: digits(ours), rival: digits(rival), unit, ratio: digits(ratio), target: digits(target), pass };
}
