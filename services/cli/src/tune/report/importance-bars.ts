import { parameterImportance, valueCount, type StudyHistory } from '@lockstep/search';
import { html, type Html } from './html';

const PERCENT = 100;

/** How much of the score's variance each parameter explains alone, as bars. What has one value only explains nothing. */
export function importanceBars(history: StudyHistory): Html {
  const importance = parameterImportance(history);
  switch (importance.kind) {
    case 'UNKNOWN': return html`<p>Not known: ${importance.why}.</p>`;
    case 'KNOWN': {
      const shares = importance.shares.filter(({ parameter }) => valueCount(parameter) > 1);
      return html`<table class="bars"><tbody>
${shares.map(({ parameter, share }) => html`<tr><th scope="row">${parameter.name}</th><td><span class="bar" style="width:${share * PERCENT}%"></span></td><td class="number">${Math.round(share * PERCENT)} %</td></tr>
`)}</tbody></table>
<p>Shares of the variance of the score${history.objectives.length > 1 ? ', for several objectives KerasTuner\'s sum of them,' : ''} that a parameter explains alone, by functional ANOVA over ${importance.trialCount} trials; what is left to 100 % is due to several together.</p>`;
    }
  }
}
