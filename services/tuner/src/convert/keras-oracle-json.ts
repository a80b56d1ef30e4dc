/** The oracle.json of a KerasTuner project. */
import { parsePythonJson, readHyperparameters, sortSpace, type Direction, type Objective, type PythonJson, type SearchSpace } from '@lockstep/search';
import { list, number, object, optionalObject } from './keras-json';

/** An objective as a file tells it. */
export interface KerasObjective {
  readonly name: string;
  /** Undefined: the file does not say. */
  readonly direction: Direction | undefined;
}

export interface KerasOracle {
  /** Parents first. */
  readonly space: SearchSpace;
  /** Undefined where the file has none: KerasTuner itself writes them nowhere, programs that wrap it do. */
  readonly objectives: readonly KerasObjective[] | undefined;
  /** Epochs of a whole trial of Hyperband's; undefined for other oracles. */
  readonly maxEpochs: number | undefined;
}

/**
 * Reads the text of an oracle.json.
 *
 * @param source what the text is, for faults
 * @throws SearchError MALFORMED_JSON, INVALID_SPACE
 */
export function readKerasOracle(text: string, source: string): KerasOracle {
  const root = object(parsePythonJson(text, source), source);
  const objectives = list(root['objective']).flatMap(objectiveIn);
  return {
    space: sortSpace(readHyperparameters(root['hyperparameters'] ?? {}, `${source}.hyperparameters`).space),
    objectives: objectives.length > 0 ? objectives : undefined, maxEpochs: number(root['max_epochs']),
  };
}

/** Whether they are the same, as far as the file tells. */
export const sameObjective = ({ name, direction }: KerasObjective, ours: Objective): boolean => name === ours.metric && (direction === undefined || direction === ours.direction);

/** A name alone, or with a direction. */
function objectiveIn(json: PythonJson): readonly KerasObjective[] {
  const { name, direction } = typeof json === 'string' ? { name: json } : optionalObject(json) as { readonly name?: PythonJson; readonly direction?: PythonJson };
  return typeof name === 'string' ? [{ name, direction: direction === 'min' ? 'MIN' : direction === 'max' ? 'MAX' : undefined }] : [];
}
