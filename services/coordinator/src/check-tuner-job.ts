import type { TrainJobSpec, TrialRun } from '@lockstep/contract';
import type { FieldViolation } from '@lockstep/rpc';
import { checkSpace, checkValues, parseHyperparameters, SearchError, type Hyperparameters } from '@lockstep/search';
import { VERSION_NAME } from './resource-names';

/** Each execution is a training of its own. */
const MAX_EXECUTIONS = 1000;

/** What is wrong with a tuner's job, of all that can be checked without looking anything up. */
export function* checkTunerJob({ tuner, output }: TrainJobSpec): Generator<FieldViolation> {
  switch (tuner?.part.case) {
    case 'discovery':
      if (output !== '') yield { field: 'spec.output', description: 'must be empty: a discovery commits nothing' };
      return;
    case 'trial':
      yield* checkTrial(tuner.part.value);
      return;
    case undefined:
      if (tuner) yield { field: 'spec.tuner', description: 'must say which part: discovery or trial' };
      return;
  }
}

function* checkTrial({ hyperparametersJson, initialEpoch, epochs, executions, startFrom }: TrialRun): Generator<FieldViolation> {
  const bad = (field: string, description: string): FieldViolation => ({ field: `spec.tuner.trial.${field}`, description });
  for (const description of faultsOf(hyperparametersJson)) yield bad('hyperparameters_json', description);
  if (epochs > 0 && initialEpoch >= epochs) yield bad('epochs', `${epochs} are done already: initial_epoch is ${initialEpoch}, and epochs are counted from the very start`);
  if (initialEpoch > 0 && epochs === 0) yield bad('epochs', 'is required with initial_epoch: the epoch to end before');
  if (initialEpoch > 0 && startFrom === '') yield bad('start_from', 'is required with initial_epoch: the version that the trial of the epochs before committed');
  if (startFrom !== '' && !VERSION_NAME.test(startFrom)) yield bad('start_from', `"${startFrom}" is not the name of a version: artifacts/{artifact}/versions/{version}`);
  if (executions > MAX_EXECUTIONS) yield bad('executions', `${executions} is more than ${MAX_EXECUTIONS}`);
}

function faultsOf(json: string): readonly string[] {
  if (json === '') return ['is required: {"space": [...], "values": {...}}'];
  let parsed: Hyperparameters;
  try {
    parsed = parseHyperparameters(json, 'hyperparameters');
  } catch (e) {
    if (e instanceof SearchError) return [e.message];
    throw e;
  }
  const { space, values } = parsed;
  const ownValues = new Map([...values].filter(([name]) => !name.startsWith('tuner/')));
  const faults = checkSpace(space);
  return (faults.length > 0 ? faults : checkValues(space, ownValues)).map(({ field, description }) => `${field}: ${description}`);
}
