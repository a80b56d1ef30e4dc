/** Why trials came to nothing: what their errors say, the commonest first. */
import { trialNumber } from '@lockstep/client';
import type { Trial } from '@lockstep/contract';
import { stateMessage } from '../format-trial';
import { html, type Html } from './html';
import { shortened } from './shortened';

/** Different reasons that are told; the CSV has them all. */
const MAX_REASONS = 20;
/** Of the trials with the same reason, so many are named. */
const MAX_NAMED = 20;
const MAX_LENGTH = 2000;

/** The reasons of trials that failed or were infeasible; nothing when there are none. */
export function reasons(trials: readonly Trial[]): Html {
  const byReason = new Map<string, { readonly state: string; readonly message: string; readonly numbers: number[] }>();
  for (const trial of trials) {
    if (trial.state.case !== 'failed' && trial.state.case !== 'infeasible') continue;
    const message = stateMessage(trial);
    const key = `${trial.state.case} ${message}`;
    const group = byReason.get(key) ?? { state: trial.state.case, message, numbers: [] };
    group.numbers.push(trialNumber(trial.name));
    byReason.set(key, group);
  }
  if (byReason.size === 0) return html``;
  const commonest = [...byReason.values()].sort((a, b) => b.numbers.length - a.numbers.length);
  return html`<h2>Trials that came to nothing</h2>
${commonest.slice(0, MAX_REASONS).map(({ state, message, numbers }) => html`<p>${inWords(numbers)} ${state}:</p>
<pre>${message === '' ? 'no reason was given' : shortened(message, MAX_LENGTH)}</pre>
`)}${commonest.length > MAX_REASONS ? html`<p>There are ${commonest.length - MAX_REASONS} more reasons: <code>lockstep studies export csv</code> has them all.</p>` : html``}`;
}

function inWords(numbers: readonly number[]): string {
  const named = numbers.slice(0, MAX_NAMED).join(', ');
  const more = numbers.length - MAX_NAMED;
  return numbers.length === 1 ? `Trial ${named}` : `${numbers.length} trials (${named}${more > 0 ? ` and ${more} more` : ''})`;
}
