import { createRequire } from 'node:module';

const requireHere = createRequire(__filename);

/**
 * Loads a package when it is called, not when this file is: what TensorFlow reads at its start (threads, log level) must be set
 * before. Resolves from this library, where the installation's one copy of each package is found.
 */
export function loadModule<T extends object>(specifier: string): T {
  return requireHere(specifier) as T;
}

/** The file that a specifier resolves to. */
export const resolveModule = (specifier: string): string => requireHere.resolve(specifier);
