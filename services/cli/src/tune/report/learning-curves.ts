/** Learning curves: an objective, epoch by epoch, of the trials whose measurements are known. */
import { wholeCurve, type StudyHistory, type TrialRecord } from '@lockstep/search';
import { formatNumber } from '../../output';
import { axisOf, outsideText, robustAxis, shareOn } from './axis';
import { html, type Html } from './html';
import { lineStrengths } from './line-strength';

const WIDTH = 720;
const HEIGHT = 280;
const LEFT = 84;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 36;

/** The drawing of one objective. @param index of the objective; @param trials the best first: they are drawn last, over the others */
export function learningCurves(history: StudyHistory, index: number, trials: readonly TrialRecord[]): Html {
  const { objectives } = history;
  const metric = objectives[index]?.metric ?? '';
  const curves = trials.map((trial) => ({ trial, points: wholeCurve(history, trial).map(({ epoch, values }) => ({ epoch, value: values[index] ?? NaN })).filter(({ value }) => !Number.isNaN(value)) }))
    .filter(({ points }) => points.length > 0);
  if (curves.length === 0) return html`<p>Nothing was reported epoch by epoch.</p>`;
  const epochs = axisOf(curves.flatMap(({ points }) => points.map(({ epoch }) => epoch)));
  const values = robustAxis(curves.flatMap(({ points }) => points.map(({ value }) => value)));
  const strengths = lineStrengths(curves.map(({ trial }) => trial), objectives);
  const x = (epoch: number): number => LEFT + shareOn(epochs, epoch) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const lines = curves.map(({ trial, points }) => {
    const rank = Math.round(100 * (strengths.get(trial.number) ?? 1)) / 100;
    const [only] = points;
    const title = `trial ${trial.number}: ${formatNumber(points.at(-1)?.value ?? NaN)}`;
    if (only && points.length === 1) return html`<g class="trial" style="--rank:${rank}"><title>${title}</title><circle class="dot" cx="${x(only.epoch)}" cy="${y(shareOn(values, only.value))}" r="3"/></g>`;
    return html`<g class="trial" style="--rank:${rank}"><title>${title}</title><path class="line" d="${points.map(({ epoch, value }, i) => `${i === 0 ? 'M' : 'L'}${x(epoch).toFixed(1)} ${y(shareOn(values, value)).toFixed(1)}`).join('')}"/></g>`;
  });
  const note = outsideText(metric, values);
  const label = (share: number, text: string): Html => html`<text class="tick end" x="${LEFT - 6}" y="${y(share) + 3}">${text}</text>`;
  return html`<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${metric} by epoch of ${curves.length} trials">
<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/><line class="axis" x1="${LEFT}" x2="${LEFT}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>
${values.ticks.map(({ value, text }) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(shareOn(values, value))}" y2="${y(shareOn(values, value))}"/>${label(shareOn(values, value), text)}`)}
${values.above ? label(1, 'above') : html``}${values.below ? label(0, 'below') : html``}
${epochs.ticks.filter(({ value }) => Number.isInteger(value)).map(({ value, text }) => html`<text class="tick middle" x="${x(value)}" y="${HEIGHT - BOTTOM + 14}">${text}</text>`)}
<text class="name middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">epoch</text>
${lines.reverse()}
</svg></div>${note === '' ? html`` : html`<p>${note}</p>`}`;
}
