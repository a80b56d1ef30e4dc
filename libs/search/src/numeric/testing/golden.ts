import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Pairs of an argument and a value. */
type Table = readonly (readonly [number, number])[];

/** What other implementations compute: see golden.py. For specs. */
export interface Golden {
  readonly normal: { readonly mills: Table; readonly cdf: Table; readonly quantile: Table; readonly deviation: number; readonly logExpectedImprovement: Table };
  readonly gaussian: {
    readonly points: readonly (readonly number[])[]; readonly scores: readonly number[]; readonly queries: readonly (readonly number[])[];
    readonly lengthscales: readonly number[]; readonly amplitude: number; readonly noise: number;
    readonly logLikelihood: number; readonly gradient: { readonly amplitude: number; readonly lengthscales: readonly number[]; readonly noise: number };
    readonly mean: readonly number[]; readonly deviation: readonly number[];
  };
  /** What SciPy's L-BFGS-B finds from a start in a cube. */
  readonly minima: readonly { readonly function: 'rosenbrock' | 'chain' | 'logSumExp'; readonly start: readonly number[]; readonly low: number; readonly high: number; readonly x: readonly number[]; readonly value: number }[];
  readonly warp: { readonly values: readonly number[]; readonly exponent: number; readonly logLikelihood: number; readonly warped: readonly number[] };
}

export const readGolden = (): Golden => JSON.parse(readFileSync(path.join(__dirname, 'golden.json'), 'utf8')) as Golden;
