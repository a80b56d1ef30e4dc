import { TrainingError } from '../errors';
import { OptionReader } from '../options';
import type { Tf } from '../tfjs';

/**
 * Reads the options of a callback.
 *
 * @param factory the function that makes it
 * @param names all options that there are
 * @throws TrainingError (BAD_ARGUMENT)
 */
export function callbackOptions<O extends object>(factory: string, tf: Tf, options: O, names: readonly (keyof O & string)[]): OptionReader<O> {
  const isNamespace = (value: unknown): boolean => typeof value === 'object' && value !== null && 'Callback' in value && 'engine' in value;
  if (!isNamespace(tf)) throw new TrainingError('BAD_ARGUMENT', `${factory}(): the first argument is the namespace of TensorFlow.js: call ${factory}(tf, options)`);
  return new OptionReader(`${factory}()`, options, names);
}
