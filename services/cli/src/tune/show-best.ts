import { objectivesOf, trialNumber } from '@lockstep/client';
import { TrialSchema, type Study, type Trial } from '@lockstep/contract';
import type { Output } from '../output';
import { printable } from '../terminal-text';
import { formatRung, formatScores, formatValues, trialValues } from './format-trial';

/** The best trials of a study as a table, or as JSON. */
export function showBest(study: Study, best: readonly Trial[], output: Output): void {
  for (const trial of best) output.message(TrialSchema, trial);
  if (best.length === 0) return output.line('no trial has succeeded');
  output.table(['trial', ...objectivesOf(study.spec).map(({ metric }) => printable(metric)), 'rung', 'values'], best.map((trial) => [
    String(trialNumber(trial.name)), ...(trial.state.case === 'succeeded' ? trial.state.value.scores.map((score) => formatScores([score])) : []), formatRung(trial.rung), formatValues(trialValues(trial)),
  ]));
}
