/** The files of a KerasTuner project: oracle.json and the trial.json of each trial. */
import {
  parsePythonJson, PythonFloat, readHyperparameters, scoresOf, SearchError, sortSpace, type ForeignTrial, type Measurement, type Objective, type PythonJson, type SearchSpace, type Value,
} from '@lockstep/search';

/** A trial.json: what it can be used as, or why it cannot. */
export type KerasTrial =
  | { readonly kind: 'SCORED'; readonly trial: ForeignTrial; readonly space: SearchSpace }
  | { readonly kind: 'UNUSABLE'; readonly why: string };

/** Values of Hyperband's own, which are of no parameter. */
const OWN_VALUES = 'tuner/';

/** Reads the text of a trial.json. @param source what the text is, for messages */
export function readKerasTrial(text: string, source: string, objectives: readonly Objective[]): KerasTrial {
  try {
    const root = object(parsePythonJson(text, source), source);
    const { space, values } = readHyperparameters(root['hyperparameters'] ?? {}, `${source}.hyperparameters`);
    const name = typeof root['trial_id'] === 'string' ? `${source} (${root['trial_id']})` : source;
    const status = root['status'];
    if (status !== 'COMPLETED') return { kind: 'UNUSABLE', why: `${name}: its status is ${JSON.stringify(status)}, only COMPLETED trials have scores` };
    const scores = scoresIn(root, objectives);
    if (typeof scores === 'string') return { kind: 'UNUSABLE', why: `${name}: ${scores}` };
    const own = new Map([...values].filter(([key]) => !key.startsWith(OWN_VALUES)));
    return { kind: 'SCORED', space: sortSpace(space), trial: { values: asTypesOf(space, own), scores, source: name } };
  } catch (e) {
    if (e instanceof SearchError) return { kind: 'UNUSABLE', why: e.message };
    throw e;
  }
}

/**
 * The space in an oracle.json, parents first.
 *
 * @throws SearchError MALFORMED_JSON, INVALID_SPACE
 */
export function readKerasOracleSpace(text: string, source: string): SearchSpace {
  const root = object(parsePythonJson(text, source), source);
  return sortSpace(readHyperparameters(root['hyperparameters'] ?? {}, `${source}.hyperparameters`).space);
}

/** Scores by the reported metrics; by the trial's one score where no metrics were kept. */
function scoresIn(root: { readonly [key: string]: PythonJson }, objectives: readonly Objective[]): readonly number[] | string {
  const metrics = optionalObject(optionalObject(root['metrics'])['metrics']);
  const measurements: Measurement[] = [];
  for (const [name, history] of Object.entries(metrics)) {
    for (const observation of list(optionalObject(history)['observations'])) {
      const { step, value } = optionalObject(observation) as { readonly step?: PythonJson; readonly value?: PythonJson };
      for (const one of list(value)) measurements.push({ epoch: number(step) ?? 0, metrics: new Map([[name, number(one) ?? NaN]]) });
    }
  }
  const scoring = scoresOf(byEpoch(measurements), objectives);
  if (scoring.kind === 'SCORED') return scoring.scores;
  const score = number(root['score']);
  return objectives.length === 1 && score !== undefined && Number.isFinite(score) ? [score] : scoring.why;
}

/** Metrics of one epoch are one measurement for each execution. */
function byEpoch(measurements: readonly Measurement[]): readonly Measurement[] {
  const merged: { readonly epoch: number; readonly metrics: Map<string, number> }[] = [];
  for (const { epoch, metrics } of measurements) {
    for (const [name, value] of metrics) {
      const open = merged.find((one) => one.epoch === epoch && !one.metrics.has(name));
      if (open) open.metrics.set(name, value);
      else merged.push({ epoch, metrics: new Map([[name, value]]) });
    }
  }
  return merged;
}

/** KerasTuner writes values of parameters that are not active too: those are left out. */
function asTypesOf(space: SearchSpace, values: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  const active = new Map<string, Value>();
  for (const { name, conditions } of sortSpace(space)) {
    const value = values.get(name);
    const holds = conditions.every(({ parent, values: allowed }) => {
      const of = active.get(parent);
      return of !== undefined && allowed.includes(of);
    });
    if (holds && value !== undefined) active.set(name, value);
  }
  return active;
}

function object(json: PythonJson, source: string): { readonly [key: string]: PythonJson } {
  if (typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof PythonFloat)) return json as { readonly [key: string]: PythonJson };
  throw new SearchError('MALFORMED_JSON', [{ field: source, description: 'should be an object' }]);
}

const optionalObject = (json: PythonJson | undefined): { readonly [key: string]: PythonJson } =>
  (typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof PythonFloat) ? json as { readonly [key: string]: PythonJson } : {});

const list = (json: PythonJson | undefined): readonly PythonJson[] => (Array.isArray(json) ? json as readonly PythonJson[] : json === undefined ? [] : [json]);

function number(json: PythonJson | undefined): number | undefined {
  if (json instanceof PythonFloat) return json.value;
  return typeof json === 'number' ? json : undefined;
}
