/** The trial.json of a trial of KerasTuner's. */
import { activeValues, parsePythonJson, readHyperparameters, scoresOf, SearchError, sortSpace, type ForeignTrial, type Measurement, type Objective, type PythonJson, type SearchSpace } from '@lockstep/search';
import { list, number, object, optionalObject, type JsonObject } from './keras-json';
import { sameObjective, type KerasObjective } from './keras-oracle-json';

/** A trial.json: what it can be used as, or why it cannot. */
export type KerasTrial =
  /** `epochs`: after which a trial of Hyperband ends. */
  | { readonly kind: 'SCORED'; readonly trial: ForeignTrial; readonly space: SearchSpace; readonly epochs: number | undefined }
  | { readonly kind: 'UNUSABLE'; readonly why: string };

/** What trials are scored for. */
export interface KerasScoring {
  readonly objectives: readonly Objective[];
  /** The objectives that KerasTuner had; undefined where nothing says so. */
  readonly theirs: readonly KerasObjective[] | undefined;
}

/** Values of Hyperband's own, which are of no parameter. */
const OWN_VALUES = 'tuner/';
const EPOCHS = 'tuner/epochs';

/** Reads the text of a trial.json. @param source what the text is, for messages */
export function readKerasTrial(text: string, source: string, scoring: KerasScoring): KerasTrial {
  try {
    const root = object(parsePythonJson(text, source), source);
    const { space, values } = readHyperparameters(root['hyperparameters'] ?? {}, `${source}.hyperparameters`);
    const name = typeof root['trial_id'] === 'string' ? `${source} (${root['trial_id']})` : source;
    const status = root['status'];
    if (status !== 'COMPLETED') return { kind: 'UNUSABLE', why: `${name}: its status is ${JSON.stringify(status)}, only COMPLETED trials have scores` };
    const scores = scoresIn(root, scoring);
    if (typeof scores === 'string') return { kind: 'UNUSABLE', why: `${name}: ${scores}` };
    const own = new Map([...values].filter(([key]) => !key.startsWith(OWN_VALUES)));
    const epochs = values.get(EPOCHS);
    const sorted = sortSpace(space);
    // KerasTuner writes values of parameters that are not active too.
    return { kind: 'SCORED', space: sorted, trial: { values: activeValues(sorted, own), scores, source: name }, epochs: typeof epochs === 'number' ? epochs : undefined };
  } catch (e) {
    if (e instanceof SearchError) return { kind: 'UNUSABLE', why: e.message };
    throw e;
  }
}

/** Scores by the reported metrics; by the trial's one score only where no metrics were kept, and it is not known to be of something else. */
function scoresIn(root: JsonObject, { objectives, theirs }: KerasScoring): readonly number[] | string {
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
  const [objective] = objectives;
  if (measurements.length > 0 || objectives.length !== 1 || !objective || score === undefined || !Number.isFinite(score)) return scoring.why;
  const isOurs = theirs === undefined || (theirs.length === 1 && theirs.every((their) => sameObjective(their, objective)));
  return isOurs ? [score] : `it kept its score alone, which is of ${theirs.map(({ name }) => name).join(' and ')}, and not of ${objective.metric} (${objective.direction})`;
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
