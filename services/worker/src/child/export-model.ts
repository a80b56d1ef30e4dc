import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SelectedBackend } from '@lockstep/backend';
import type { Schema } from '@lockstep/examples';
import { exportLayersModel, exportSavedModel, GraphError, type ExamplesSignature, type FeatureSpec } from '@lockstep/graph';
import type { ExportFeatures, FnArgs, Training } from '@lockstep/training';

/** TFX's folder for a SavedModel, and ours beside it. */
export const SAVED_MODEL_FOLDER = 'Format-Serving';
export const LAYERS_FOLDER = 'Format-Layers';

export interface ExporterParts {
  readonly training: Training;
  readonly schema: Schema | undefined;
  readonly servingModelDir: string;
  readonly backend: SelectedBackend;
}

/** `fnArgs.exportModel`: a collective call; the chief writes. */
export function modelExporter({ training, schema, servingModelDir, backend }: ExporterParts): FnArgs['exportModel'] {
  return (model, options = {}) => training.runExport('serving_model', model.name, async () => {
    const examples = options.examples && signatureOf(options.examples, schema);
    mkdirSync(servingModelDir, { recursive: true });
    await exportLayersModel({ tf: backend.tf, model, directory: join(servingModelDir, LAYERS_FOLDER) });
    if (backend.name === 'tensorflow') {
      exportSavedModel({ tf: backend.tf, model, directory: join(servingModelDir, SAVED_MODEL_FOLDER), ...(examples && { examples }) });
    }
  });
}

/** What a person should know about a model that was exported on this backend. */
export function exportNotes(backend: SelectedBackend['name']): readonly string[] {
  return backend === 'tensorflow' ? []
    : [`the model was exported in TensorFlow.js's layers format only: a SavedModel needs workers on the native backend, and these ran on ${backend}. Run \`npm run native\` on them`];
}

function signatureOf({ features, featuresToInputs }: ExportFeatures, schema: Schema | undefined): ExamplesSignature {
  return {
    features: features.map((feature) => (typeof feature === 'string' ? specOf(feature, schema) : feature)),
    ...(featuresToInputs && { featuresToInputs }),
  };
}

const DTYPES = { FLOAT: 'float32', INT: 'int64', BYTES: 'string' } as const;

/** A feature of the schema, parsed in serving as it was for training. */
function specOf(name: string, schema: Schema | undefined): FeatureSpec {
  if (!schema) throw new GraphError('BAD_FEATURES', `feature "${name}" is given by name, and the job has no schema: give {name, dtype, shape} instead`);
  const feature = schema.features.find((f) => f.name === name);
  if (!feature) {
    throw new GraphError('BAD_FEATURES', `the schema has no feature "${name}"; it has ${schema.features.map((f) => `"${f.name}"`).join(', ')}`);
  }
  const dtype = DTYPES[feature.type];
  if (feature.shape) return { name, dtype, shape: feature.shape };
  // Without a shape a value may be missing: the same value stands in for it as in training.
  if (feature.valueCount?.min === 1 && feature.valueCount.max === 1) return { name, dtype, shape: [1], default: dtype === 'string' ? '' : 0 };
  throw new GraphError('BAD_FEATURES', `feature "${name}" has no fixed shape in the schema: give {name, dtype, shape, default} instead of its name`);
}
