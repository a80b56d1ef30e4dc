/** Trials that were evaluated elsewhere, as requests bring them. */
import type { ImportTrialsRequest, KerasTunerTrials } from '@lockstep/contract';
import type { ForeignHistory, TrackedStudy, Violation } from '@lockstep/search';
import { readKerasOracle } from '../convert/keras-oracle-json';
import { readKerasTrial, type KerasTrial } from '../convert/keras-trial-json';
import { fromParameterValues } from '../convert/value-proto';
import { refuse } from '../study/tuner-error';

/** What a request brings, and what of it cannot be read as a whole trial with scores. */
export interface ReadTrials extends ForeignHistory {
  readonly skipped: readonly string[];
}

/** @throws TunerError INVALID_ARGUMENT when the request itself is at fault; SearchError MALFORMED_JSON for an oracle.json that is none */
export function foreignTrials(source: ImportTrialsRequest['source'], study: TrackedStudy): ReadTrials {
  switch (source.case) {
    case 'kerasTuner': return ofKerasTuner(source.value, study);
    case 'trials': {
      const violations: Violation[] = [];
      const trials = source.value.trials.map(({ values, scores }, i) => ({ values: fromParameterValues(values, `trials.trials[${i}].values`, violations), scores, source: `trials[${i}]` }));
      refuse(violations);
      return { trials, parameters: [], field: 'trials', skipped: [] };
    }
    case undefined:
      refuse([{ field: 'source', description: 'is required: keras_tuner or trials' }]);
      return { trials: [], parameters: [], field: 'source', skipped: [] };
  }
}

function ofKerasTuner({ trialJson, oracleJson }: KerasTunerTrials, { space, objectives }: TrackedStudy): ReadTrials {
  const oracle = oracleJson === '' ? undefined : readKerasOracle(oracleJson, 'keras_tuner.oracle_json');
  const read = trialJson.map((text, i) => readKerasTrial(text, `trial_json[${i}]`, { objectives, theirs: oracle?.objectives }));
  const scored = read.flatMap((one) => (one.kind === 'SCORED' ? [one] : []));
  // Without an oracle.json the trials tell how long the longest were.
  const whole = oracle?.maxEpochs ?? Math.max(0, ...scored.map(({ epochs = 0 }) => epochs));
  const fit = read.map((one): KerasTrial => (one.kind === 'SCORED' && one.epochs !== undefined && one.epochs < whole
    ? { kind: 'UNUSABLE', why: `${one.trial.source}: it was trained for ${one.epochs} of ${whole} epochs, which is no whole trial` } : one));
  return {
    trials: fit.flatMap((one) => (one.kind === 'SCORED' ? [one.trial] : [])), skipped: fit.flatMap((one) => (one.kind === 'UNUSABLE' ? [one.why] : [])),
    // And what there is to search, if nobody else has.
    ...(oracle ? { parameters: oracle.space, field: 'keras_tuner.oracle_json' }
      : { parameters: space.kind === 'DISCOVERING' ? scored.flatMap((one) => one.space) : [], field: 'keras_tuner.trial_json' }),
  };
}
