/** What a fit chooses, as logarithms: [ln lengthscale of each coordinate..., ln amplitude, ln noise], amplitude and noise as variances. */
export type LogParameters = Float64Array;

export const lengthscaleCount = (parameters: LogParameters): number => parameters.length - 2;
export const logAmplitude = (parameters: LogParameters): number => parameters.at(-2) ?? 0;
export const logNoise = (parameters: LogParameters): number => parameters.at(-1) ?? 0;

/** @returns the same lengthscale in every coordinate */
export function uniformParameters(columns: number, lengthscale: number, amplitude: number, noise: number): LogParameters {
  const parameters = new Float64Array(columns + 2).fill(Math.log(lengthscale));
  parameters[columns] = Math.log(amplitude);
  parameters[columns + 1] = Math.log(noise);
  return parameters;
}

export interface Box {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

const NOISE_MIN = 1e-6;

/** Where parameters may lie, for points in the unit cube and standardised scores. */
export const parameterBox = (columns: number, noiseMin = NOISE_MIN): Box => ({
  low: uniformParameters(columns, 0.01, 0.02, noiseMin),
  high: uniformParameters(columns, 100, 100, 1),
});

// Priors of lengthscales and noise are those of Optuna 5's Gaussian process (optuna/_gp/prior.py): with w = 1 / lengthscale² a density ∝ exp(-0.1 (w + 1 / w)),
// which keeps lengthscales from the ends of their range; a gamma density of shape 1.1 and rate 30. The amplitude is log-normal.
const LENGTHSCALE_WEIGHT = 0.1;
const AMPLITUDE_MEAN = 0.5;
const AMPLITUDE_DEVIATION = 1.5;
const NOISE_SHAPE_LESS_ONE = 0.1;
const NOISE_RATE = 30;

/** The negative logarithm of the prior density, up to a constant; adds its gradient to `gradient`. */
export function negativeLogPrior(parameters: LogParameters, gradient: Float64Array): number {
  const columns = lengthscaleCount(parameters);
  let value = 0;
  for (let d = 0; d < columns; d++) {
    const w = Math.exp(-2 * (parameters[d] ?? 0));
    value += LENGTHSCALE_WEIGHT * (w + 1 / w);
    gradient[d] = (gradient[d] ?? 0) + 2 * LENGTHSCALE_WEIGHT * (1 / w - w);
  }
  const z = (logAmplitude(parameters) - AMPLITUDE_MEAN) / AMPLITUDE_DEVIATION;
  gradient[columns] = (gradient[columns] ?? 0) + z / AMPLITUDE_DEVIATION;
  const noise = Math.exp(logNoise(parameters));
  gradient[columns + 1] = (gradient[columns + 1] ?? 0) + NOISE_RATE * noise - NOISE_SHAPE_LESS_ONE;
  return value + 0.5 * z * z + NOISE_RATE * noise - NOISE_SHAPE_LESS_ONE * logNoise(parameters);
}
