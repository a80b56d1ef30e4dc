/** Trials that were evaluated elsewhere, as requests bring them. */
import type { ImportTrialsRequest } from '@lockstep/contract';
import type { ForeignTrial, SearchSpace, TrackedStudy, Violation } from '@lockstep/search';
import { readKerasOracleSpace, readKerasTrial } from '../convert/keras-trial-json';
import { fromParameterValues } from '../convert/value-proto';
import { refuse } from '../study/tuner-error';

/** What a request brings, and what of it cannot be read as a trial with scores. */
export interface ReadTrials {
  readonly trials: readonly ForeignTrial[];
  /** What the study is to know of the space as well. */
  readonly space: SearchSpace;
  readonly skipped: readonly string[];
}

/** @throws TunerError INVALID_ARGUMENT when the request itself is at fault; SearchError MALFORMED_JSON for an oracle.json that is none */
export function foreignTrials(source: ImportTrialsRequest['source'], study: TrackedStudy): ReadTrials {
  switch (source.case) {
    case 'kerasTuner': {
      const read = source.value.trialJson.map((text, i) => readKerasTrial(text, `trial_json[${i}]`, study.objectives));
      const scored = read.flatMap((one) => (one.kind === 'SCORED' ? [one] : []));
      const { oracleJson } = source.value;
      // Without an oracle.json the trials tell the space, if nobody else has.
      const told = study.space.kind === 'DISCOVERING' ? scored.flatMap(({ space }) => space) : [];
      return {
        trials: scored.map(({ trial }) => trial), space: oracleJson === '' ? told : readKerasOracleSpace(oracleJson, 'oracle_json'),
        skipped: read.flatMap((one) => (one.kind === 'UNUSABLE' ? [one.why] : [])),
      };
    }
    case 'trials': {
      const violations: Violation[] = [];
      const trials = source.value.trials.map(({ values, scores }, i) => ({ values: fromParameterValues(values, `trials.trials[${i}].values`, violations), scores, source: `trials[${i}]` }));
      refuse(violations);
      return { trials, space: [], skipped: [] };
    }
    case undefined:
      refuse([{ field: 'source', description: 'is required: keras_tuner or trials' }]);
      return { trials: [], space: [], skipped: [] };
  }
}
