/** The folders of saved models: TensorFlow.js's layers format, or its weights alone. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { io } from '@tensorflow/tfjs';
import { exportLayersModel, layersModelIn } from '@lockstep/graph';
import { TrainingError } from '../errors';
import type { Tf } from '../tfjs';
import type { FitModel } from './fit-model';

/** What is in the folder. */
export type CheckpointContent = 'MODEL' | 'WEIGHTS';

const WEIGHTS_JSON = 'weights.json';
const WEIGHTS_BIN = 'weights.bin';

/** `weights.json`: a manifest as tf.io.loadWeights() takes it. */
type WeightsManifest = readonly [{ readonly paths: readonly string[]; readonly weights: io.WeightsManifestEntry[] }];

/**
 * Saves a model into a folder, in the place of what was there. It is written beside the folder first, so that a reader
 * finds one whole checkpoint or the other; if the process dies between the two moves, the older lies in `.<name>.previous`.
 */
export async function writeCheckpoint({ tf, model, weights }: FitModel, directory: string, content: CheckpointContent): Promise<void> {
  const beside = (what: string): string => join(dirname(directory), `.${basename(directory)}.${what}`);
  const [next, previous] = [beside('next'), beside('previous')];
  rmSync(next, { recursive: true, force: true });
  switch (content) {
    case 'MODEL':
      await exportLayersModel({ tf, model, directory: next });
      break;
    case 'WEIGHTS':
      await writeWeights(tf, next, Object.fromEntries(weights.map(({ originalName, val }) => [originalName, val])));
      break;
  }
  rmSync(previous, { recursive: true, force: true });
  if (existsSync(directory)) renameSync(directory, previous);
  renameSync(next, directory);
  rmSync(previous, { recursive: true, force: true });
}

async function writeWeights(tf: Tf, directory: string, weights: NamedTensorMap): Promise<void> {
  const { data, specs } = await tf.io.encodeWeights(weights);
  const manifest: WeightsManifest = [{ paths: [WEIGHTS_BIN], weights: specs }];
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, WEIGHTS_BIN), Buffer.from(data));
  writeFileSync(join(directory, WEIGHTS_JSON), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Loads a model that modelCheckpoint saved, without its optimizer: compile() it before it is trained or evaluated.
 * @param tf the namespace of @tensorflow/tfjs
 * @param directory the checkpoint's path, its fields filled in
 * @throws GraphError BAD_LAYERS_MODEL when there is none, or weights alone
 */
export const loadCheckpoint = (tf: Tf, directory: string): Promise<LayersModel> => tf.loadLayersModel(layersModelIn(directory));

/**
 * Gives a model of the same layers, in the same order, the weights of a checkpoint, whether that is a whole model or weights alone.
 * @throws GraphError BAD_LAYERS_MODEL when there is none; tfjs's ValueError when the checkpoint's weights are not as many, or of other shapes
 */
export async function loadCheckpointWeights(tf: Tf, model: LayersModel, directory: string): Promise<void> {
  const { data, specs } = existsSync(join(directory, WEIGHTS_JSON)) ? readWeights(directory) : await weightsOfModel(directory);
  const named = tf.io.decodeWeights(data, specs);
  try {
    model.setWeights(specs.flatMap(({ name }) => named[name] ?? []));
  } finally {
    tf.dispose(named);
  }
}

interface EncodedWeights {
  readonly data: ArrayBuffer;
  readonly specs: io.WeightsManifestEntry[];
}

function readWeights(directory: string): EncodedWeights {
  const [group] = JSON.parse(readFileSync(join(directory, WEIGHTS_JSON), 'utf8')) as WeightsManifest;
  return { data: Uint8Array.from(readFileSync(join(directory, WEIGHTS_BIN))).buffer, specs: group.weights };
}

async function weightsOfModel(directory: string): Promise<EncodedWeights> {
  const { weightData, weightSpecs } = (await layersModelIn(directory).load?.()) ?? {};
  if (!(weightData instanceof ArrayBuffer) || !weightSpecs) throw new TrainingError('BAD_ARGUMENT', `${directory} holds no weights: pass the path of a checkpoint that modelCheckpoint wrote`);
  return { data: weightData, specs: weightSpecs };
}
