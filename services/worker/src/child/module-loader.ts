import Module from 'node:module';

export type ModuleErrorReason = 'DOES_NOT_LOAD' | 'NO_SUCH_FUNCTION';

/** A module that cannot be run. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError';
  constructor(readonly reason: ModuleErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The door through which every CommonJS request goes. */
interface Loader {
  _load(request: string, ...rest: unknown[]): unknown;
}

/**
 * Makes the packages that a bundled module leaves out mean the objects that this process has loaded, wherever the
 * module's file lies: TensorFlow.js must be one copy, or models and tensors of two engines meet.
 */
export function provideModules(provided: ReadonlyMap<string, object>): void {
  const loader = Module as unknown as Loader;
  const original = loader._load.bind(loader);
  loader._load = (request, ...rest) => provided.get(request) ?? original(request, ...rest);
}

/**
 * Loads a bundled module and finds the function that the job names. Its stacks name places in the sources that it was bundled from: maps are read
 * from here on and not when the process begins, which would read those of every library.
 *
 * @throws ModuleError
 */
export function loadFunction(file: string, name: string): (argument: unknown) => unknown {
  let exported: unknown;
  process.setSourceMapsEnabled(true);
  try {
    exported = Module.createRequire(file)(file);
  } catch (e) {
    throw new ModuleError('DOES_NOT_LOAD', `the module threw while it was loaded: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
  }
  const found = typeof exported === 'object' && exported !== null ? (exported as Record<string, unknown>)[name] : undefined;
  if (typeof found === 'function') return (argument) => (found as (a: unknown) => unknown)(argument);
  const names = typeof exported === 'object' && exported !== null ? Object.keys(exported) : [];
  throw new ModuleError('NO_SUCH_FUNCTION', `the module exports no function ${name}; it exports ${names.length > 0 ? names.join(', ') : 'nothing'}. Write \`export async function ${name}(fnArgs) { ... }\``);
}
