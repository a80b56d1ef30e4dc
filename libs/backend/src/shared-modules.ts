// One TensorFlow.js for a process: whatever name a user's module imports it by, it gets the engine that was selected.
import { BackendError } from './backend-error';
import { loadModule } from './load-module';
import type { SelectedBackend } from './select-backend';

/** Packages that are one engine already: they meet in the one tfjs-core of this installation. */
const PACKAGES = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-data', '@tensorflow/tfjs-converter'] as const;

/** The names of tfjs-node; on other backends they stand for @tensorflow/tfjs. */
const NODE_PACKAGES = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'] as const;

/**
 * What the loader of a user's module hands out for an import of TensorFlow.js, by specifier. A loader asks here first and falls
 * through to ordinary resolution for names that are missing.
 */
export function sharedModules({ name, tf }: Pick<SelectedBackend, 'name' | 'tf'>): ReadonlyMap<string, object> {
  const modules = new Map<string, object>([['@tensorflow/tfjs', tf]]);
  for (const specifier of PACKAGES) modules.set(specifier, loadModule(specifier));
  const node = name === 'tensorflow' ? loadModule('@tensorflow/tfjs-node') : withoutNode(tf, name);
  for (const specifier of NODE_PACKAGES) modules.set(specifier, node);
  return modules;
}

/** @tensorflow/tfjs with a `node` that says by name what is missing, where tfjs-node has its own functions. */
function withoutNode(tf: object, backend: string): object {
  const node = new Proxy({}, {
    get: (_target, property) => {
      throw new BackendError('NEEDS_NATIVE', `tf.node.${String(property)} needs the native backend, and this process runs on ${backend}; run npm run native`);
    },
  });
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(tf), node: { value: node, enumerable: true } });
}
