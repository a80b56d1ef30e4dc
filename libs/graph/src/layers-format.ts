/**
 * The TensorFlow.js layers format: `model.json` (topology and a manifest of weights) and shards of weights. Works on every backend.
 *
 * 1. The bytes depend on the model and its weights alone: keys are sorted, shard names are stable, and what names the
 *    writer or the time is left out.
 * 2. The target directory appears whole or not at all.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { io, LayersModel } from '@tensorflow/tfjs';
import { GraphError } from './graph-error';
import type { Tf } from './native-backend';
import { sortedEntries } from './proto-writer';
import { stageDirectory } from './staged-directory';

/** What to export, and where. */
export interface LayersModelRequest {
  readonly tf: Tf;
  readonly model: LayersModel;
  /** Must not exist, or be empty. */
  readonly directory: string;
}

/** Name of the file that describes the model. */
export const MODEL_JSON = 'model.json';

/** As TensorFlow's converter cuts them: browsers cache files of this size. */
const SHARD_SIZE_BYTES = 4 * 1024 * 1024;

const ELEMENT_SIZE_BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8 };

/**
 * Exports topology and weights of a model, without its optimizer.
 *
 * @throws GraphError DIRECTORY_EXISTS; nothing is left behind after an error
 */
export async function exportLayersModel({ tf, model, directory }: LayersModelRequest): Promise<void> {
  const staged = stageDirectory(directory);
  try {
    await model.save(tf.io.withSaveHandler((artifacts) => {
      for (const [name, bytes] of layersModelFiles(artifacts)) writeFileSync(join(staged.path, name), bytes);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }));
    staged.publish();
  } finally {
    staged.discard();
  }
}

/** File names and contents. */
function layersModelFiles(artifacts: io.ModelArtifacts): readonly (readonly [string, Uint8Array])[] {
  const weights = joined(artifacts.weightData);
  const shardCount = Math.ceil(weights.length / SHARD_SIZE_BYTES);
  const shards = Array.from({ length: shardCount }, (_, i) => {
    const bytes = weights.subarray(i * SHARD_SIZE_BYTES, (i + 1) * SHARD_SIZE_BYTES);
    return [`group1-shard${i + 1}of${shardCount}.bin`, bytes] as const;
  });
  const description = {
    format: 'layers-model',
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: shards.map(([name]) => name), weights: artifacts.weightSpecs ?? [] }],
    ...(artifacts.userDefinedMetadata === undefined ? {} : { userDefinedMetadata: artifacts.userDefinedMetadata }),
  };
  return [[MODEL_JSON, Buffer.from(`${stableJson(description)}\n`)], ...shards];
}

function joined(data: io.WeightData | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array();
  const parts = Array.isArray(data) ? data : [data];
  return Buffer.concat(parts.map((part) => new Uint8Array(part)));
}

/** JSON with keys in code-unit order and two spaces of indentation. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isRecord(inner) ? Object.fromEntries(sortedEntries(inner)) : inner), 2);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/**
 * Reads what {@link exportLayersModel} wrote (or TensorFlow.js, or its converter): `tf.loadLayersModel(layersModelIn(directory))`.
 * The handler rejects with GraphError BAD_LAYERS_MODEL when a file is missing, malformed, or shorter or longer than it should be.
 */
export function layersModelIn(directory: string): io.IOHandler {
  const bad = (problem: string, cause?: unknown): GraphError =>
    new GraphError('BAD_LAYERS_MODEL', `${directory} does not hold a TensorFlow.js layers model: ${problem}`, [], { cause });
  const read = (name: string): Buffer => {
    try {
      return readFileSync(join(directory, name));
    } catch (error) {
      throw bad(`${name} cannot be read`, error);
    }
  };
  const load = (): io.ModelArtifacts => {
    const description = parsed(read(MODEL_JSON), bad);
    const groups = description.weightsManifest;
    const weightSpecs = groups.flatMap((group) => group.weights);
    const paths = groups.flatMap((group) => group.paths);
    const outside = paths.find((path) => path !== basename(path) || path === '..');
    if (outside !== undefined) throw bad(`the manifest names '${outside}', which is not a file beside ${MODEL_JSON}`);
    const bytes = Buffer.concat(paths.map(read));
    const expected = expectedSizeBytes(weightSpecs);
    if (expected !== undefined && bytes.length !== expected) throw bad(`its weights take ${expected} bytes, and its shards have ${bytes.length}`);
    return {
      modelTopology: description.modelTopology,
      weightSpecs,
      weightData: new Uint8Array(bytes).buffer,
      ...(description.userDefinedMetadata === undefined ? {} : { userDefinedMetadata: description.userDefinedMetadata }),
    };
  };
  return { load: () => new Promise((resolve) => resolve(load())) };
}

function parsed(bytes: Buffer, bad: (problem: string, cause?: unknown) => GraphError): io.ModelJSON {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw bad(`${MODEL_JSON} is not JSON`, error);
  }
  if (!isModelJson(value)) throw bad(`${MODEL_JSON} lacks modelTopology or a weightsManifest with paths and weights`);
  return value;
}

function isModelJson(value: unknown): value is io.ModelJSON {
  if (!isRecord(value) || !isRecord(value['modelTopology']) || !Array.isArray(value['weightsManifest'])) return false;
  const groups: readonly unknown[] = value['weightsManifest'];
  return groups.every((group) => isRecord(group) && Array.isArray(group['weights']) && Array.isArray(group['paths'])
    && group['paths'].every((path) => typeof path === 'string')
    && group['weights'].every((spec) => isRecord(spec) && typeof spec['name'] === 'string' && typeof spec['dtype'] === 'string' && Array.isArray(spec['shape'])));
}

/** Size of all weights; undefined when some are strings or quantized, whose size the manifest does not tell. */
function expectedSizeBytes(specs: readonly io.WeightsManifestEntry[]): number | undefined {
  let total = 0;
  for (const { dtype, shape, quantization } of specs) {
    const element = ELEMENT_SIZE_BYTES[dtype];
    if (element === undefined || quantization !== undefined) return undefined;
    total += shape.reduce((product, size) => product * size, element);
  }
  return total;
}
