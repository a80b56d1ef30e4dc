import { objectiveOf, SearchError, type Direction, type Objective } from '@lockstep/search';
import { TrainingError } from '../errors';

/** A metric by its name in the logs, with which way it gets better where its name does not tell. */
export type ObjectiveOption = string | { readonly name: string; readonly direction: 'min' | 'max' };

/** KerasTuner's name for what a hypermodel's fit returns when no objective is named. */
export const DEFAULT_OBJECTIVE: Objective = { metric: 'default_objective', direction: 'MIN' };

const DIRECTIONS: Readonly<Record<'min' | 'max', Direction>> = { min: 'MIN', max: 'MAX' };

/**
 * The objectives of a tuner; several where a list is given.
 *
 * @param owner what they were given to, for errors
 * @throws TrainingError (BAD_ARGUMENT) for what is none, and for a metric whose direction its name does not tell
 */
export function readObjectives(owner: string, given: unknown): readonly Objective[] {
  if (given === undefined) return [DEFAULT_OBJECTIVE];
  const objectives = (Array.isArray(given) ? given as readonly unknown[] : [given]).map((one) => readObjective(owner, one));
  if (objectives.length === 0) throw refused(owner, 'objective is an empty list');
  const twice = objectives.find(({ metric }, i) => objectives.findIndex((other) => other.metric === metric) < i);
  if (twice) throw refused(owner, `objective names ${twice.metric} twice`);
  return objectives;
}

function readObjective(owner: string, given: unknown): Objective {
  if (typeof given === 'string') {
    try {
      return objectiveOf(given);
    } catch (e) {
      if (!(e instanceof SearchError)) throw e;
      throw refused(owner, `whether more or less of ${given} is better cannot be told by its name: write objective: {name: '${given}', direction: 'max'} or 'min'`);
    }
  }
  if (typeof given === 'object' && given !== null && 'name' in given && typeof given.name === 'string' && 'direction' in given && (given.direction === 'min' || given.direction === 'max')) {
    return { metric: given.name, direction: DIRECTIONS[given.direction] };
  }
  throw refused(owner, "objective is the name of a metric, {name, direction: 'min' | 'max'}, or a list of these");
}

const refused = (owner: string, what: string): TrainingError => new TrainingError('BAD_ARGUMENT', `${owner}: ${what}`);

/** TensorFlow.js logs the metric `accuracy` as `acc`; Keras, and who writes an objective for it, as `accuracy`. */
const LOGGED_AS: ReadonlyMap<string, string> = new Map([['accuracy', 'acc'], ['val_accuracy', 'val_acc']]);

/**
 * The objectives under the names that their metrics have in the logs.
 *
 * @throws TrainingError (NO_SUCH_METRIC) with the names that there are
 */
export function findObjectives(objectives: readonly Objective[], metrics: readonly string[]): readonly Objective[] {
  return objectives.map(({ metric, direction }) => {
    const found = [metric, LOGGED_AS.get(metric)].find((name) => name !== undefined && metrics.includes(name));
    if (found !== undefined) return { metric: found, direction };
    const hint = metric.startsWith('val_') && !metrics.some((name) => name.startsWith('val_')) ? ': fitKwargs has no validationData' : '';
    throw new TrainingError('NO_SUCH_METRIC', `the objective ${metric} is none of the metrics${hint}; there are ${metrics.length === 0 ? 'none' : metrics.join(', ')}`, { metric });
  });
}
