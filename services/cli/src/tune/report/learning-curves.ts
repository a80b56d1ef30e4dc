/** Learning curves: an objective, epoch by epoch, of the trials whose measurements are known. */
import { standingOf, wholeCurve, type StudyHistory, type TrialRecord } from '@lockstep/search';
import { formatNumber } from '../../output';
import { html, type Html } from './html';
import { axisOf, shareOn } from './ticks';

const WIDTH = 720;
const HEIGHT = 280;
const LEFT = 64;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 36;

/** The drawing of one objective. @param index of the objective; @param trials the best first: they are drawn last, over the others */
export function learningCurves(history: StudyHistory, index: number, trials: readonly TrialRecord[]): Html {
  const { objectives } = history;
  const metric = objectives[index]?.metric ?? '';
  const curves = trials.map((trial) => ({ trial, points: wholeCurve(history, trial).map(({ epoch, values }) => ({ epoch, value: values[index] ?? NaN })).filter(({ value }) => Number.isFinite(value)) }))
    .filter(({ points }) => points.length > 0);
  if (curves.length === 0) return html`<p>Nothing was reported epoch by epoch.</p>`;
  const epochs = axisOf(curves.flatMap(({ points }) => points.map(({ epoch }) => epoch)));
  const values = axisOf(curves.flatMap(({ points }) => points.map(({ value }) => value)));
  const order = axisOf(curves.map(({ trial }) => standingOf(trial, objectives)));
  const x = (epoch: number): number => LEFT + shareOn(epochs, epoch) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - shareOn(values, value) * (HEIGHT - TOP - BOTTOM);
  const lines = curves.map(({ trial, points }) => {
    const standing = standingOf(trial, objectives);
    const rank = Number.isFinite(standing) ? Math.round(100 * shareOn(order, standing)) / 100 : 1;
    const [only] = points;
    if (only && points.length === 1) return html`<circle class="dot" style="--rank:${rank}" cx="${x(only.epoch)}" cy="${y(only.value)}" r="3"><title>trial ${trial.number}: ${formatNumber(only.value)}</title></circle>`;
    return html`<path class="line" style="--rank:${rank}" d="${points.map(({ epoch, value }, i) => `${i === 0 ? 'M' : 'L'}${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`).join('')}"><title>trial ${trial.number}: ${formatNumber(points.at(-1)?.value ?? NaN)}</title></path>`;
  });
  return html`<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${metric} by epoch of ${curves.length} trials">
<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/><line class="axis" x1="${LEFT}" x2="${LEFT}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>
${values.ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/><text class="tick end" x="${LEFT - 6}" y="${y(tick) + 3}">${formatNumber(tick)}</text>`)}
${epochs.ticks.filter(Number.isInteger).map((tick) => html`<text class="tick middle" x="${x(tick)}" y="${HEIGHT - BOTTOM + 14}">${tick}</text>`)}
<text class="name middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">epoch</text>
${lines.reverse()}
</svg></div>`;
}
