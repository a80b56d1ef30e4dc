/** A study as one static page: nothing in it is fetched, and nothing runs. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { toHistory } from '@lockstep/client';
import type { Study, Trial } from '@lockstep/contract';
import type { StudyHistory, TrialRecord } from '@lockstep/search';
import { bestFirst } from '../best-first';
import { curvedTrials, MAX_CURVES } from '../measured-trials';
import { studyDetail, studyState, studySummary } from '../study-summary';
import { html, type Html } from './html';
import { importanceBars } from './importance-bars';
import { learningCurves } from './learning-curves';
import { parallelCoordinates } from './parallel-coordinates';
import { reasons } from './reasons';
import { STYLE } from './style';
import { frontTable, trialTable } from './trial-tables';

/** Lines that a drawing holds; of more trials, the best are drawn. */
const MAX_LINES = 500;

/**
 * The page of a study. @param trials all of the study's, in the order of suggestion; those with measurements get learning curves
 */
export function studyReport(study: Study, trials: readonly Trial[]): string {
  const page = html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${study.name}</title><style>${{ html: STYLE }}</style></head><body>
<h1>${study.name}</h1>
<dl>${facts(study, trials).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${trials.length === 0 ? html`<p>No trial has been suggested yet.</p>` : sections(study, trials)}
</body></html>
`;
  return page.html;
}

function facts(study: Study, trials: readonly Trial[]): readonly (readonly [string, string])[] {
  const detail = studyDetail(study);
  const counts = new Map<string, number>();
  for (const { state } of trials) counts.set(state.case ?? 'requested', (counts.get(state.case ?? 'requested') ?? 0) + 1);
  return [
    ['search', studySummary(study)], ['state', `${studyState(study)}${detail === '' ? '' : `: ${detail}`}`], ['seed', String(study.spec?.seed ?? 0n)],
    ...(trials.length === 0 ? [] : [['trials', `${trials.length}: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`] as const]),
    ...(study.createTime ? [['created', new Date(timestampMs(study.createTime)).toISOString()] as const] : []),
  ];
}

function sections(study: Study, trials: readonly Trial[]): Html {
  const history = toHistory(study, trials);
  const best = bestFirst(history);
  return html`${best.length === 0 ? html`<p>No trial has succeeded.</p>` : html`${bestSection(study, trials, history, best)}
<h2>Importance</h2>
${importanceBars(history)}
<h2>Parallel coordinates</h2>
${best.length > MAX_LINES ? html`<p>The ${MAX_LINES} best of ${best.length} trials that succeeded.</p>` : html``}
${parallelCoordinates(history, best.slice(0, MAX_LINES))}`}
${curves(history, best)}
${reasons(trials)}
<h2>Trials</h2>
${trialTable(study, trials, history)}`;
}

function bestSection(study: Study, trials: readonly Trial[], history: StudyHistory, [first]: readonly TrialRecord[]): Html {
  if (history.objectives.length > 1) {
    return html`<h2>Trials that no other beats in every objective</h2>
${frontTable(study, trials, history)}`;
  }
  if (first?.state.kind !== 'SUCCEEDED') return html``;
  const { number, state: { scores }, values } = first;
  const lines = [['trial', String(number)], ...history.objectives.map(({ metric }, i) => [metric, String(scores[i] ?? '')]), ...[...values].map(([name, value]) => [name, String(value)])];
  return html`<h2>Best</h2>
<dl>${lines.map(([name = '', value = '']) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** Nothing where nothing was measured at all, which is no fault: a client may report a trial's end alone. */
function curves(history: StudyHistory, best: readonly TrialRecord[]): Html {
  const curved = curvedTrials(history);
  if (curved.every(({ measurements }) => measurements.length === 0)) return html`<h2>Learning curves</h2>
<p>Nothing was reported epoch by epoch.</p>`;
  return html`${history.objectives.map(({ metric }, i) => html`<h2>${metric} by epoch</h2>
${best.length > MAX_CURVES ? html`<p>The curves of the ${MAX_CURVES} best of ${best.length} trials that succeeded.</p>` : html``}
${learningCurves(history, i, curved)}
`)}`;
}
