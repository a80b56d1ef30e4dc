/** Parallel coordinates: an axis for each parameter and one for the score, a line for each trial that succeeded. */
import { isActive, probabilityOf, standingOf, valueAt, valueCount, valueFault, type Parameter, type StudyHistory, type TrialRecord } from '@lockstep/search';
import { formatNumber } from '../../output';
import { formatValue } from '../format-trial';
import { html, type Html } from './html';
import { axisOf, shareOn } from './ticks';

const HEIGHT = 320;
const TOP = 40;
const BOTTOM = 20;
const AXIS_DISTANCE = 120;
const MARGIN = 60;
const MAX_LISTED = 12;
const RANGE_TICKS = [0, 0.25, 0.5, 0.75, 1];

interface Coordinate {
  readonly title: string;
  readonly ticks: readonly { readonly share: number; readonly text: string }[];
  /** Where a trial's line crosses, from 0 (below) to 1; undefined where the parameter is not active. */
  readonly shareOf: (trial: TrialRecord) => number | undefined;
}

/** The drawing of some trials. @param trials of the history, the best first: they are drawn last, over the others */
export function parallelCoordinates({ space, objectives }: StudyHistory, trials: readonly TrialRecord[]): Html {
  const coordinates = [...space.map(parameterCoordinate), ...objectives.map(({ metric }, i) => scoreCoordinate(metric, i, trials))];
  const width = 2 * MARGIN + Math.max(1, coordinates.length - 1) * AXIS_DISTANCE;
  const standings = trials.map((trial) => standingOf(trial, objectives));
  const order = axisOf(standings);
  const lines = trials.map((trial, i) => html`<path class="line" style="--rank:${Math.round(100 * shareOn(order, standings[i] ?? order.max)) / 100}" d="${pathOf(coordinates, trial)}"><title>${lineTitle(trial)}</title></path>`);
  return html`<div class="scroll"><svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-label="Parallel coordinates of ${trials.length} trials">
${lines.reverse()}
${coordinates.map((coordinate, i) => axis(coordinate, MARGIN + i * AXIS_DISTANCE))}
</svg></div>`;
}

const yOf = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);

function axis({ title, ticks }: Coordinate, x: number): Html {
  return html`<g transform="translate(${x} 0)"><title>${title}</title><line class="axis" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="name" y="${TOP - 14}">${shortened(title)}</text>
${ticks.map(({ share, text }) => html`<text class="tick" x="4" y="${yOf(share) + 3}">${text}</text>`)}</g>
`;
}

/** A line breaks off where a parameter is not active. */
function pathOf(coordinates: readonly Coordinate[], trial: TrialRecord): string {
  let isDrawing = false;
  return coordinates.map(({ shareOf }, i) => {
    const share = shareOf(trial);
    if (share === undefined) {
      isDrawing = false;
      return '';
    }
    const point = `${isDrawing ? 'L' : 'M'}${MARGIN + i * AXIS_DISTANCE} ${yOf(share).toFixed(1)}`;
    isDrawing = true;
    return point;
  }).join('');
}

const lineTitle = ({ number, values }: TrialRecord): string => `trial ${number}: ${[...values].map(([name, value]) => `${name} ${formatValue(value)}`).join(', ')}`;

function parameterCoordinate(parameter: Parameter): Coordinate {
  const count = valueCount(parameter);
  // By its probability, so that a logarithmic range is even in its logarithm. The few values of a parameter have their places; a range has its quarters.
  const shares = count <= MAX_LISTED ? Array.from({ length: count }, (_, i) => (i + 0.5) / count) : RANGE_TICKS;
  return {
    title: parameter.name,
    ticks: shares.map((share) => ({ share, text: shortened(formatValue(valueAt(parameter, Math.min(share, 1 - Number.EPSILON)))) })),
    shareOf: ({ values }) => {
      const value = isActive(parameter, values) ? values.get(parameter.name) : undefined;
      return value === undefined || valueFault(parameter, value) !== undefined ? undefined : Math.min(1, Math.max(0, probabilityOf(parameter, value)));
    },
  };
}

function scoreCoordinate(metric: string, index: number, trials: readonly TrialRecord[]): Coordinate {
  const scoreOf = ({ state }: TrialRecord): number => (state.kind === 'SUCCEEDED' ? state.scores[index] ?? NaN : NaN);
  const scale = axisOf(trials.map(scoreOf));
  return {
    title: metric,
    ticks: scale.ticks.map((tick) => ({ share: shareOn(scale, tick), text: formatNumber(tick) })),
    shareOf: (trial) => (Number.isFinite(scoreOf(trial)) ? shareOn(scale, scoreOf(trial)) : undefined),
  };
}

const MAX_TITLE = 16;
const shortened = (text: string): string => ([...text].length > MAX_TITLE ? `${[...text].slice(0, MAX_TITLE - 1).join('')}…` : text);
