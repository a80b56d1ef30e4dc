/**
 * What a study has come to, as the files that TFX's Tuner leaves: its Trainer and KerasTuner's HyperParameters.from_config() take them. Only
 * trials that succeeded are in them (TFX can write the values of a failed one as the best).
 */
import { formatPythonJson, PythonFloat, type PythonJson } from '../keras-tuner/python-json';
import { formatHyperparameters, writeHyperparameters } from '../keras-tuner/space-json';
import { combined, ranked } from '../study/standing';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { kerasTunerValues } from './keras-tuner-values';
import type { TrialIdOf } from './trial-ids';

/** The file of a HyperParameters artifact. */
export const BEST_HYPERPARAMETERS_FILE = 'best_hyperparameters.txt';
/** The file of a TunerResults artifact. */
export const TUNER_RESULTS_FILE = 'tuner_results.json';

/** What the results of a study are made of. */
export type FinishedStudy = Pick<StudyHistory, 'space' | 'objectives' | 'trials'>;

/**
 * The text of best_hyperparameters.txt: KerasTuner's get_config() of the best trial, which with several objectives is that of the best sum
 * of them. Undefined when no trial has succeeded.
 */
export function bestHyperparameters({ space, objectives, trials }: FinishedStudy, idOf: TrialIdOf): string | undefined {
  const [best] = ranked(trials, objectives);
  return best && formatHyperparameters({ space, values: kerasTunerValues(best, idOf) });
}

/**
 * The text of tuner_results.json: a list of {trial_id, score, values by name...}, best first. The score of several objectives is KerasTuner's
 * "multi_objective". A parameter named trial_id or score does not take the place of those.
 */
export function tunerResults({ space, objectives, trials }: FinishedStudy, idOf: TrialIdOf): string {
  return formatPythonJson(ranked(trials, objectives).map((trial): PythonJson => {
    const { values } = writeHyperparameters({ space, values: kerasTunerValues(trial, idOf) }) as { readonly values: { readonly [name: string]: PythonJson } };
    const own = { trial_id: idOf(trial.number), score: new PythonFloat(scoreOf(trial, objectives)) };
    return { ...own, ...values, ...own };
  }));
}

/** KerasTuner's one score of a trial that has succeeded. */
function scoreOf({ state }: TrialRecord, objectives: StudyHistory['objectives']): number {
  if (state.kind !== 'SUCCEEDED') return NaN;
  const [only] = state.scores;
  return objectives.length === 1 && only !== undefined ? only : combined(state.scores, objectives);
}
