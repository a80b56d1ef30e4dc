import { TrainingError } from './errors';
import type { LayerInternals, ModelInternals, WeightInternals } from './tfjs';

/** All layers of a model, nested models, wrappers and cells included, each once, outer before inner. */
export function allLayers(model: LayerInternals): readonly LayerInternals[] {
  const found = new Set<LayerInternals>();
  const visit = (layer: LayerInternals | undefined): void => {
    if (!layer || found.has(layer)) return;
    found.add(layer);
    for (const inner of [...(layer.layers ?? []), layer.layer, layer.forwardLayer, layer.backwardLayer, layer.cell, ...(layer.cells ?? [])]) visit(inner);
  };
  for (const layer of model.layers ?? []) visit(layer);
  return [...found];
}

/**
 * Refuses what cannot be computed replica by replica.
 * @throws TrainingError (UNSUPPORTED_LAYER) that names the layer.
 */
export function checkLayers(model: ModelInternals): void {
  for (const layer of allLayers(model)) {
    const what = `layer ${layer.name} (${layer.getClassName()})`;
    if ('stateful' in layer && layer.stateful === true) {
      throw new TrainingError('UNSUPPORTED_LAYER', `${what} is stateful: it keeps a state per row of a fixed batch, but batches are cut into replicas. Build it with stateful: false.`, { layer: layer.name });
    }
    if (layer.randomGenerator !== undefined) {
      throw new TrainingError('UNSUPPORTED_LAYER', `${what} draws from a generator of its own, which is not part of the state. Apply it in the input pipeline, or use an unseeded layer.`, { layer: layer.name });
    }
  }
}

/**
 * The non-trainable weights that a forward pass may write, like BatchNorm's moving statistics: all weights that are not
 * trained, without those that a layer made trainable and somebody froze, and without integers, which have no mean.
 */
export function statisticsOf(model: ModelInternals): readonly WeightInternals[] {
  const excluded = new Set([...model.collectedTrainableWeights, ...allLayers(model).flatMap((layer) => [...layer._trainableWeights])]);
  return [...new Set(model.weights)].filter((weight) => !excluded.has(weight) && weight.val.dtype === 'float32');
}
