import { parameterImportance, type StudyHistory } from '@lockstep/search';
import { html, type Html } from './html';

const PERCENT = 100;

/** How much of the score's variance each parameter explains alone, as bars. */
export function importanceBars(history: StudyHistory): Html {
  const importance = parameterImportance(history);
  switch (importance.kind) {
    case 'UNKNOWN': return html`<p>Not known: ${importance.why}.</p>`;
    case 'KNOWN': return html`<table class="bars"><tbody>
${importance.shares.map(({ parameter, share }) => html`<tr><th scope="row">${parameter.name}</th><td><span class="bar" style="width:${share * PERCENT}%"></span></td><td class="number">${Math.round(share * PERCENT)} %</td></tr>
`)}</tbody></table>
<p>Shares of the variance of the score that a parameter explains alone, by functional ANOVA over ${importance.trialCount} trials; what is left to 100 % is due to several together.</p>`;
  }
}
