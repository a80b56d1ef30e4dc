import fs from 'node:fs';
import path from 'node:path';
import { parseHyperparameters } from '../keras-tuner/space-json';
import type { SearchSpace } from '../space/search-space';
import type { Value, Values } from '../space/value';

type TrialValues = Readonly<Record<string, Value>>;

/** What keras-tuner-golden.py has written. */
interface Golden {
  readonly made_by: Readonly<Record<string, string>>;
  /** The JSON of HyperParameters by name. */
  readonly spaces: Readonly<Record<string, string>>;
  readonly parameters: readonly { readonly json: string; readonly rows: readonly (readonly [probability: number, value: Value, back: number])[]; readonly values: readonly Value[] }[];
  readonly mt19937: readonly (readonly [seed: number, draws: readonly number[]])[];
  readonly random_search: readonly { readonly space: string; readonly seed: number; readonly trials: readonly TrialValues[] }[];
  readonly grid_search: readonly { readonly space: string; readonly trials: readonly TrialValues[] }[];
  /** [maxEpochs, factor, [size, epochs] by bracket and round]. */
  readonly schedules: readonly (readonly [number, number, readonly (readonly (readonly [number, number])[])[]])[];
  readonly hyperband: readonly {
    readonly space: string; readonly seed: number; readonly max_epochs: number; readonly factor: number; readonly iterations: number; readonly workers: number;
    readonly trials: readonly (readonly [values: TrialValues, score: number])[];
  }[];
  readonly scores: readonly { readonly direction: 'min' | 'max'; readonly observations: readonly (readonly [number, number | null])[]; readonly score: number; readonly step: number }[];
  readonly directions: readonly (readonly [string, 'min' | 'max' | null])[];
  readonly set_orders: readonly (readonly [readonly number[], readonly number[]])[];
  readonly floats: readonly (readonly [number, string])[];
  readonly tree: { readonly rows: readonly (readonly number[])[]; readonly targets: readonly number[]; readonly leaves: number; readonly shares: readonly number[] };
  readonly student: readonly (readonly [t: number, freedom: number, below: number])[];
}

export const golden = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'src', 'testing', 'keras-tuner-golden.json'), 'utf8')) as Golden;

/** A space of the golden file. */
export const goldenSpace = (name: string): SearchSpace => parseHyperparameters(golden.spaces[name] ?? '', name).space;

/** Values without those that Hyperband adds. */
export const searched = (values: TrialValues): Values => new Map(Object.entries(values).filter(([name]) => !name.startsWith('tuner/')));
