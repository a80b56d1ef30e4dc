/** A study as one static page: nothing in it is fetched, and nothing runs. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { objectivesOf, toHistory, trialNumber } from '@lockstep/client';
import type { Study, Trial } from '@lockstep/contract';
import { paretoFront, ranked, type StudyHistory, type TrialRecord } from '@lockstep/search';
import { formatNumber } from '../../output';
import { formatRung, formatValue, stateMessage, trialValues } from '../format-trial';
import { studyDetail, studyState, studySummary } from '../study-summary';
import { html, type Html } from './html';
import { importanceBars } from './importance-bars';
import { learningCurves } from './learning-curves';
import { parallelCoordinates } from './parallel-coordinates';
import { STYLE } from './style';

/** Lines that a drawing holds; of more trials, the best are drawn. */
const MAX_LINES = 500;
/** Rows that the table holds; the CSV has them all. */
const MAX_ROWS = 1000;

/**
 * The page of a study. @param trials all of the study's, in the order of suggestion; those with measurements get learning curves
 */
export function studyReport(study: Study, trials: readonly Trial[]): string {
  const history = toHistory(study, trials);
  const best = ranked(history.trials, history.objectives);
  const drawn = best.slice(0, MAX_LINES);
  const curved = [...drawn, ...history.trials.filter(({ state }) => state.kind !== 'SUCCEEDED')].filter(({ measurements }) => measurements.length > 0).slice(0, MAX_LINES);
  const page = html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${study.name}</title><style>${{ html: STYLE }}</style></head><body>
<h1>${study.name}</h1>
<dl>${facts(study, trials).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${bestSection(history, best)}
<h2>Importance</h2>
${importanceBars(history)}
<h2>Parallel coordinates</h2>
${drawn.length === 0 ? html`<p>No trial has succeeded.</p>` : parallelCoordinates(history, drawn)}
<p>${drawn.length < best.length ? `The ${drawn.length} best of ${best.length} trials that succeeded. ` : ''}The stronger a line, the better its trial; a line breaks off at a parameter that is not active.</p>
${history.objectives.map(({ metric }, i) => html`<h2>${metric} by epoch</h2>
${learningCurves(history, i, curved)}
`)}
<h2>Trials</h2>
${trialTable(study, trials, history)}
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
    ['trials', `${trials.length}: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`],
    ...(study.createTime ? [['created', new Date(timestampMs(study.createTime)).toISOString()] as const] : []),
  ];
}

function bestSection({ objectives, trials }: StudyHistory, best: readonly TrialRecord[]): Html {
  const [first] = best;
  if (!first) return html``;
  const shown = objectives.length === 1 ? [first] : paretoFront(trials, objectives).slice(0, MAX_ROWS);
  const head = [...objectives.map(({ metric }) => metric)];
  return html`<h2>${objectives.length === 1 ? 'Best' : 'Best: the trials that no other beats in every objective'}</h2>
${shown.map(({ number, state, values }) => html`<dl><dt>trial</dt><dd>${String(number)}</dd>${head.map((metric, i) => html`<dt>${metric}</dt><dd>${state.kind === 'SUCCEEDED' ? String(state.scores[i] ?? '') : ''}</dd>`)}${[...values].map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl>
`)}`;
}

function trialTable({ spec }: Study, trials: readonly Trial[], { space }: StudyHistory): Html {
  const metrics = objectivesOf(spec).map(({ metric }) => metric);
  const names = [...new Set(space.map(({ name }) => name))];
  const shown = trials.slice(0, MAX_ROWS);
  const row = (trial: Trial): Html => {
    const values = trialValues(trial);
    const scores = trial.state.case === 'succeeded' ? trial.state.value.scores : [];
    const cell = (text: string): Html => html`<td>${text}</td>`;
    return html`<tr><td>${String(trialNumber(trial.name))}</td><td title="${stateMessage(trial)}">${trial.state.case ?? 'requested'}</td><td>${formatRung(trial.rung)}</td><td>${trial.rung ? String(trial.rung.epochs) : ''}</td>${metrics.map((_, i) => cell(scores[i] === undefined ? '' : formatNumber(scores[i])))}${names.map((name) => {
      const value = values.get(name);
      return cell(value === undefined ? '' : formatValue(value));
    })}</tr>
`;
  };
  return html`<div class="scroll"><table class="trials"><thead><tr>${['trial', 'state', 'rung', 'epochs', ...metrics, ...names].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${shown.map(row)}</tbody></table></div>${shown.length < trials.length ? html`<p>The first ${String(shown.length)} of ${String(trials.length)} trials; <code>lockstep studies export csv</code> has them all.</p>` : html``}`;
}
