import type { LengthscaleModel } from '../gaussian/fit';
import type { LogParameters } from '../gaussian/hyperparameters';
import type { Json, Memo, TrialRecord } from '../study/trial-record';

/** What a fit found, as it is stored with the trial that it was made for: later fits start from it, and a replay finds the same. */
export interface StoredFit {
  readonly model: LengthscaleModel;
  /** How many points there were to choose from. */
  readonly evidence: number;
  /** Of each objective. */
  readonly parameters: readonly LogParameters[];
}

const DIGITS = 4;

/** Rounds parameters to what is stored, so that the fit in use is the fit that is found again. */
export const rounded = (parameters: LogParameters): LogParameters => parameters.map((log) => Number(log.toFixed(DIGITS)));

/** As a memo; `Number.toFixed` makes it short. */
export const memoOf = ({ model, evidence, parameters }: StoredFit): Memo => ({ gaussian: { model, evidence, parameters: parameters.map((logs) => [...logs]) } });

/**
 * The last fit of a model in a history that fits objectives and coordinates of today.
 * @param size length of the parameters
 */
export function lastFit(trials: readonly TrialRecord[], model: LengthscaleModel, objectives: number, size: number): StoredFit | undefined {
  for (const { memo } of trials.toReversed()) {
    const fit = parse(memo['gaussian']);
    if (fit?.model !== model) continue;
    // Of a smaller space, or of what another program stored: a fit from the start is as good.
    return fit.parameters.length === objectives && fit.parameters.every((logs) => logs.length === size) ? fit : undefined;
  }
  return undefined;
}

function parse(json: Json | undefined): StoredFit | undefined {
  if (!isObject(json)) return undefined;
  const { model, evidence, parameters } = json;
  if ((model !== 'ARD' && model !== 'ISOTROPIC') || typeof evidence !== 'number' || !isList(parameters)) return undefined;
  const vectors = parameters.map((logs) => (isList(logs) && logs.every((log) => Number.isFinite(log)) ? Float64Array.from(logs, Number) : new Float64Array()));
  return { model, evidence, parameters: vectors };
}

const isList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);
const isObject = (json: Json | undefined): json is Readonly<Record<string, Json>> => typeof json === 'object' && json !== null && !Array.isArray(json);
