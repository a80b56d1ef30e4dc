/** Trials as tables: all of them, or those that no other beats. */
import { objectivesOf, trialNumber } from '@lockstep/client';
import type { Study, Trial } from '@lockstep/contract';
import type { StudyHistory } from '@lockstep/search';
import { formatNumber } from '../../output';
import { unbeaten } from '../best-first';
import { formatRung, formatValue, stateMessage, trialValues } from '../format-trial';
import { html, type Html } from './html';
import { shortened } from './shortened';

/** Rows that a table holds; the CSV has them all. */
const MAX_ROWS = 1000;
const MAX_HEAD = 40;
/** Of a message, so much stands in a row: `reasons` has it whole. */
const MAX_MESSAGE = 80;

interface Column {
  readonly head: string;
  readonly cellOf: (trial: Trial) => string;
}

/** All trials in the order of suggestion. Columns that nothing stands in are left out. */
export function trialTable(study: Study, trials: readonly Trial[], history: StudyHistory): Html {
  const has = (of: (trial: Trial) => boolean): boolean => trials.some(of);
  return table([
    NUMBER,
    { head: 'state', cellOf: ({ state }) => state.case ?? 'requested' },
    ...(has(({ rung }) => rung !== undefined) ? [{ head: 'rung', cellOf: ({ rung }: Trial) => formatRung(rung) }, { head: 'epochs', cellOf: ({ rung }: Trial) => (rung ? String(rung.epochs) : '') }] : []),
    ...scores(study), ...values(history),
    ...(has((trial) => stateMessage(trial) !== '') ? [{ head: 'message', cellOf: (trial: Trial) => shortened(stateMessage(trial), MAX_MESSAGE) }] : []),
  ], trials);
}

/** The trials that no other beats in every objective, by KerasTuner's sum of them. */
export function frontTable(study: Study, trials: readonly Trial[], history: StudyHistory): Html {
  return table([NUMBER, ...scores(study), ...values(history)], unbeaten(history).flatMap(({ number }) => trials[number] ?? []));
}

const NUMBER: Column = { head: 'trial', cellOf: ({ name }) => String(trialNumber(name)) };

const scores = ({ spec }: Study): readonly Column[] => objectivesOf(spec).map(({ metric }, i) => ({
  head: metric,
  cellOf: ({ state }) => {
    const score = state.case === 'succeeded' ? state.value.scores[i] : undefined;
    return score === undefined ? '' : formatNumber(score);
  },
}));

// Parameters of one name under different conditions are one column.
const values = ({ space }: StudyHistory): readonly Column[] => [...new Set(space.map(({ name }) => name))].map((name) => ({
  head: name,
  cellOf: (trial) => {
    const value = trialValues(trial).get(name);
    return value === undefined ? '' : formatValue(value);
  },
}));

const table = (columns: readonly Column[], trials: readonly Trial[]): Html => html`<div class="scroll"><table class="trials"><thead><tr>${columns.map(({ head }) => html`<th scope="col" title="${head}">${shortened(head, MAX_HEAD)}</th>`)}</tr></thead><tbody>
${trials.slice(0, MAX_ROWS).map((trial) => html`<tr>${columns.map(({ cellOf }) => html`<td>${cellOf(trial)}</td>`)}</tr>
`)}</tbody></table></div>${trials.length > MAX_ROWS ? html`<p>The first ${MAX_ROWS} of ${trials.length} trials; <code>lockstep studies export csv</code> has them all.</p>` : html``}`;
