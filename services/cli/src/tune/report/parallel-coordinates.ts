/**
 * Parallel coordinates: an axis for each parameter and one for each score, a line for each trial that succeeded.
 *
 * A trial has a mark on each axis where it has a value, so that one whose neighbours are not active is seen too; a dotted line leads over
 * axes where it has none.
 */
import { isActive, probabilityOf, valueAt, valueCount, valueFault, type Parameter, type StudyHistory, type TrialRecord } from '@lockstep/search';
import { formatValue } from '../format-trial';
import { outsideText, robustAxis, shareOn } from './axis';
import { html, type Html } from './html';
import { lineStrengths, strengthText } from './line-strength';
import { shortened } from './shortened';

const HEIGHT = 320;
const TOP = 40;
const BOTTOM = 20;
const AXIS_DISTANCE = 120;
const LEFT = 60;
/** The labels of the last axis stand beside it. */
const RIGHT = 110;
const MAX_LISTED = 12;
const MAX_LABEL = 16;
const RANGE_TICKS = [0, 0.25, 0.5, 0.75, 1];

interface Coordinate {
  readonly title: string;
  readonly ticks: readonly { readonly share: number; readonly text: string }[];
  /** Where a trial's line crosses, from 0 (below) to 1; undefined where it has no value. */
  readonly shareOf: (trial: TrialRecord) => number | undefined;
  /** What is to be said of it below the drawing; may be empty. */
  readonly note: string;
}

/** The drawing of some trials, and what to know of it. @param trials of the history, the best first: they are drawn last, over the others */
export function parallelCoordinates({ space, objectives }: StudyHistory, trials: readonly TrialRecord[]): Html {
  const varied = space.filter((parameter) => valueCount(parameter) > 1);
  const constants = [...new Set(space.filter((parameter) => valueCount(parameter) === 1).map(({ name }) => name))];
  const coordinates = [...varied.map(parameterCoordinate), ...objectives.map(({ metric }, i) => scoreCoordinate(metric, i, trials))];
  const width = LEFT + (coordinates.length - 1) * AXIS_DISTANCE + RIGHT;
  const strengths = lineStrengths(trials, objectives);
  const lines = trials.map((trial) => line(coordinates, trial, strengths.get(trial.number) ?? 1));
  const notes = [
    strengthText(objectives),
    ...(trials.some((trial) => coordinates.some(({ shareOf }) => shareOf(trial) === undefined)) ? ['A dotted line leads over parameters that a trial has no value of: they are not active in it, or were not known yet.'] : []),
    ...(constants.length > 0 ? [`Without an axis, as there is one value only: ${constants.join(', ')}.`] : []),
    ...coordinates.map(({ note }) => note),
  ].filter((note) => note !== '');
  return html`<div class="scroll"><svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-label="Parallel coordinates of ${trials.length} trials">
${coordinates.map((_, i) => html`<line class="axis" x1="${xOf(i)}" x2="${xOf(i)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`)}
${lines.reverse()}
${coordinates.map(labels)}
</svg></div>
<p>${notes.join(' ')}</p>`;
}

const xOf = (axis: number): number => LEFT + axis * AXIS_DISTANCE;
const yOf = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);

/** After the lines, which they must not lie under. */
const labels = ({ title, ticks }: Coordinate, axis: number): Html => html`<g transform="translate(${xOf(axis)} 0)"><title>${title}</title><text class="name" y="${TOP - 14}">${shortened(title, MAX_LABEL)}</text>
${ticks.map(({ share, text }) => html`<text class="tick" x="6" y="${yOf(share) + 3}">${shortened(text, MAX_LABEL)}</text>`)}</g>
`;

function line(coordinates: readonly Coordinate[], trial: TrialRecord, strength: number): Html {
  const points = coordinates.flatMap(({ shareOf }, axis) => {
    const share = shareOf(trial);
    return share === undefined ? [] : [{ axis, at: `${xOf(axis)} ${yOf(share).toFixed(1)}` }];
  });
  let drawn = '';
  let dotted = '';
  for (const [i, { axis, at }] of points.entries()) {
    const before = points[i - 1];
    const isNext = before?.axis === axis - 1;
    drawn += isNext ? `L${at}` : `M${at}`;
    if (before && !isNext) dotted += `M${before.at}L${at}`;
  }
  // A line of no length with round ends is a dot.
  const marks = points.map(({ at }) => `M${at}h0`).join('');
  return html`<g class="trial" style="--rank:${Math.round(100 * strength) / 100}"><title>${titleOf(trial)}</title><path class="line" d="${drawn}"/>${dotted === '' ? html`` : html`<path class="line gap" d="${dotted}"/>`}<path class="mark" d="${marks}"/></g>`;
}

const titleOf = ({ number, values }: TrialRecord): string => `trial ${number}: ${[...values].map(([name, value]) => `${name} ${formatValue(value)}`).join(', ')}`;

function parameterCoordinate(parameter: Parameter): Coordinate {
  const count = valueCount(parameter);
  // By its probability, so that a logarithmic range is even in its logarithm. The few values of a parameter have their places; a range has its quarters.
  const shares = count <= MAX_LISTED ? Array.from({ length: count }, (_, i) => (i + 0.5) / count) : RANGE_TICKS;
  return {
    title: parameter.name,
    ticks: shares.map((share) => ({ share, text: formatValue(valueAt(parameter, Math.min(share, 1 - Number.EPSILON))) })),
    shareOf: ({ values }) => {
      const value = isActive(parameter, values) ? values.get(parameter.name) : undefined;
      return value === undefined || valueFault(parameter, value) !== undefined ? undefined : Math.min(1, Math.max(0, probabilityOf(parameter, value)));
    },
    note: '',
  };
}

function scoreCoordinate(metric: string, index: number, trials: readonly TrialRecord[]): Coordinate {
  const scoreOf = ({ state }: TrialRecord): number => (state.kind === 'SUCCEEDED' ? state.scores[index] ?? NaN : NaN);
  const scale = robustAxis(trials.map(scoreOf));
  const ends = [...(scale.below ? [{ share: 0, text: `${scale.below.count} below` }] : []), ...(scale.above ? [{ share: 1, text: `${scale.above.count} above` }] : [])];
  return {
    title: metric,
    ticks: [...scale.ticks.map(({ value, text }) => ({ share: shareOn(scale, value), text })), ...ends],
    shareOf: (trial) => (Number.isNaN(scoreOf(trial)) ? undefined : shareOn(scale, scoreOf(trial))),
    note: outsideText(metric, scale),
  };
}
