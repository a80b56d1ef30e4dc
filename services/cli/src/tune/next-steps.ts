import type { Study } from '@lockstep/contract';
import type { Output } from '../output';

/** What a study has left, and what to do with it: of one that failed there is more to look at than to train with. */
export function nextSteps({ name, state, results }: Study, module: string, examples: readonly string[], output: Output): void {
  output.line();
  if (results) {
    output.line(`values     ${results.hyperparameters}`);
    output.line(`table      ${results.results}`);
    if (state.case !== 'failed') output.line(`train      lockstep train ${module} ${examples.map((each) => `--examples ${each}`).join(' ')} --hyperparameters ${results.hyperparameters.replace('artifacts/', '').replace('/versions/', '@')}`);
  }
  output.line(`report     lockstep studies report ${name.replace('studies/', '')} --to report.html`);
}
