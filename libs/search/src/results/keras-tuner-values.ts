import type { Value, Values } from '../space/value';
import type { TrialRecord } from '../study/trial-record';
import type { TrialIdOf } from './trial-ids';

/**
 * The values of a trial as KerasTuner keeps them: with how far it was trained and from whose checkpoint, which for KerasTuner are values like
 * the others, named tuner/..., though of no parameter. A trial that is no rung has none of these.
 */
export function kerasTunerValues({ values, fidelity }: Pick<TrialRecord, 'values' | 'fidelity'>, idOf: TrialIdOf): Values {
  switch (fidelity.kind) {
    case 'WHOLE': return values;
    case 'RUNG': {
      const { epochs, initialEpoch, bracket, round, parent } = fidelity;
      const own: [string, Value][] = [['tuner/epochs', epochs], ['tuner/initial_epoch', initialEpoch], ['tuner/bracket', bracket], ['tuner/round', round]];
      return new Map([...values, ...own, ...(parent === undefined ? [] : [['tuner/trial_id', idOf(parent)] as const])]);
    }
  }
}
