import { join, resolve } from 'node:path';

/** The repository. */
export const ROOT = resolve(__dirname, '..', '..');

/** Palmer penguins, from the package vega-datasets. */
export const PENGUINS = join(ROOT, 'node_modules', 'vega-datasets', 'data', 'penguins.json');

/** A user's module of integration/modules. */
export const moduleFile = (name: string): string => join(ROOT, 'integration', 'modules', `${name}.ts`);

/** Arguments that import the penguins; two rows have no measures and are left out. */
export const IMPORT_PENGUINS = ['examples', 'import', PENGUINS, '--name', 'penguins', '--require', 'Beak Length (mm)'] as const;

/**
 * Environment of a cluster whose processes begin quickly: for tests of what happens around the computation. TensorFlow alone takes longer to load
 * than such a job takes to train; the tests of training, of the demos and of the README use it.
 */
export const LIGHT_BACKEND = { LOCKSTEP_BACKEND: 'wasm' } as const;
