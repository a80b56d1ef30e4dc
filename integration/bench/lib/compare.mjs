import { startContender } from './contender.mjs';
import { quantile, summarize } from './statistics.mjs';

/**
 * Runs two contenders in alternating rounds (ours first, then the rival first, ...) and compares their medians.
 * @param {{name: string, unit: string, better: 'lower' | 'higher', target: number, ours: object, rival: object, size: number, rounds: number}} comparison
 *   ours, rival: options of startContender; size: what each measurement is told; target: of the ratio ours / rival, at most where lower is
 *   better, at least where higher is
 * @param {(line: string) => void} report
 * @returns {Promise<{name: string, ours: number, rival: number, unit: string, ratio: number, target: number, pass: boolean}>}
 */
export async function compare({ name, unit, better, target, ours, rival, size, rounds }, report) {
  const running = [];
  try {
    for (const options of [ours, rival]) running.push(await startContender(options));
    const [us, them] = running;
    const samples = new Map(running.map((contender) => [contender, []]));
    report(`${name}: ${us.name} (${us.about}) against ${them.name} (${them.about}), ${rounds} alternating rounds`);
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? [us, them] : [them, us]) samples.get(contender).push(await contender.measure(size));
    }
    return judge({ name, unit, better, target }, samples.get(us), samples.get(them), report);
  } finally {
    for (const contender of running) await contender.stop();
  }
}

/** The row of two contenders' samples, taken in pairs; reports medians and spreads. */
export function judge({ name, unit, better, target }, ours, rival, report) {
  const [us, them] = [summarize(ours), summarize(rival)];
  const ratio = us.median / them.median;
  const pairs = ours.map((value, i) => value / rival[i]);
  const pass = better === 'lower' ? ratio <= target : ratio >= target;
  report(`  ours   ${spread(us)} ${unit}`);
  report(`  rival  ${spread(them)} ${unit}`);
  report(`  ratio  ${digits(ratio)} (pairs ${digits(quantile(pairs, 0.1))} to ${digits(quantile(pairs, 0.9))}), target ${better === 'lower' ? '<=' : '>='} ${target}: ${pass ? 'met' : 'MISSED'}`);
  return { name, ours: round(us.median), rival: round(them.median), unit, ratio: round(ratio), target, pass };
}

const spread = ({ median, p10, p90 }) => `${digits(median)} (p10 ${digits(p10)}, p90 ${digits(p90)})`;
const digits = (value) => String(round(value));
const round = (value) => Number(value.toPrecision(4));
