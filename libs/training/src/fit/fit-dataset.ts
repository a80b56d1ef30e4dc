import { iterationOf } from '@lockstep/sharding';
import type { History, ModelFitDatasetArgs } from '@tensorflow/tfjs-layers';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import { BATCH_SOURCE, hasBatchSource } from '../batch-source';
import type { AdoptedModel } from '../adopted-model';
import { callLabel, type CallRequest } from '../calls/call-claim';
import type { RunningCall } from '../calls/call-sequence';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import type { CallbackInternals } from '../tfjs';
import { standardizeCallbacks } from './callbacks';
import { openDataset, type ElementDataset, type ElementIterator } from './dataset-batches';
import { describeData } from './describe-data';
import { refuseIterators } from './first-element';
import { runFit, type FitPlan, type FitValidation } from './fit-loop';
import { standardize } from './standardized';
import { TensorBatches } from './tensor-batches';

/** tfjs's default batch size for validation on tensors. */
const DEFAULT_VALIDATION_BATCH_SIZE = 32;

export type FitDatasetArgs = ModelFitDatasetArgs<TensorContainer>;

const isPositiveInteger = (value: number): boolean => Number.isInteger(value) && value > 0;

/** What of a dataset its members must agree on. */
export function describeDataset(dataset: ElementDataset | ElementIterator): JsonValue {
  if (hasBatchSource(dataset)) {
    const source = dataset[BATCH_SOURCE](0);
    return { steps: source.stepCount, firstBatchRows: source.stepCount > 0 ? source.rowCount(0) : 0 };
  }
  return { size: 'next' in dataset ? null : (dataset.size ?? null) };
}

const isDataset = (data: FitDatasetArgs['validationData']): data is NonNullable<typeof data> & ElementDataset =>
  data != null && 'iterator' in data && typeof data.iterator === 'function';

/** @throws TrainingError (BAD_ARGUMENT) in the cases in which tfjs refuses its arguments */
export function fitDatasetRequest(context: TrainingContext, model: AdoptedModel, dataset: ElementDataset, args: FitDatasetArgs): CallRequest {
  const refuse = (what: string): never => {
    throw new TrainingError('BAD_ARGUMENT', `fitDataset(): ${what}`);
  };
  if (args == null) refuse('the second argument (with epochs) is missing');
  const { epochs, batchesPerEpoch, validationBatches } = args;
  if (!isPositiveInteger(epochs)) refuse(`epochs must be a positive integer, got ${epochs}`);
  if (batchesPerEpoch != null && !isPositiveInteger(batchesPerEpoch)) refuse(`batchesPerEpoch must be a positive integer, got ${batchesPerEpoch}`);
  if (validationBatches != null && !isPositiveInteger(validationBatches)) refuse(`validationBatches must be a positive integer, got ${validationBatches}`);
  if ('validationSplit' in args && args.validationSplit != null) refuse('validationSplit cannot be used with a dataset; use validationData');
  if (Array.isArray(args.validationData) && args.validationData.length !== 2) refuse('validationData is [xs, ys]; sample weights are not implemented in tfjs');
  refuseIterators(context, 'fitDataset()', dataset);
  refuseIterators(context, 'fitDataset(), as validationData,', args.validationData);
  const stepsPerEpoch = batchesPerEpoch ?? (dataset.size != null && Number.isFinite(dataset.size) ? dataset.size : undefined);
  const examples = hasBatchSource(dataset) ? dataset[BATCH_SOURCE](0).examples : undefined;
  return {
    kind: 'fitDataset',
    ...(examples && { data: { kind: 'EXAMPLES', ...examples, continues: batchesPerEpoch != null } }),
    extent: { epochs, ...(stepsPerEpoch !== undefined && { stepsPerEpoch }) },
    label: callLabel('fitDataset', { epochs, batchesPerEpoch, validationBatches, model: model.name }),
    arguments: {
      model: model.index,
      dataset: describeDataset(dataset),
      epochs,
      batchesPerEpoch: batchesPerEpoch ?? null,
      initialEpoch: args.initialEpoch ?? 0,
      classWeight: (args.classWeight ?? null) as JsonValue,
      validationData: isDataset(args.validationData) ? describeDataset(args.validationData) : describeData(context.tf, args.validationData),
      validationBatches: validationBatches ?? null,
      validationBatchSize: args.validationBatchSize ?? null,
    },
  };
}

export async function fitDataset(context: TrainingContext, call: RunningCall, model: AdoptedModel, dataset: ElementDataset, args: FitDatasetArgs): Promise<History> {
  const { internals } = model;
  if (internals.isTraining) throw new TrainingError('NESTED_CALL', `model ${model.name} is training already: await its fit() first`);
  internals.isTraining = true;
  try {
    return await runFit(context, call, fitDatasetPlan(context, call, model, dataset, args));
  } finally {
    internals.isTraining = false;
  }
}

function fitDatasetPlan(context: TrainingContext, call: RunningCall, model: AdoptedModel, dataset: ElementDataset, args: FitDatasetArgs): FitPlan {
  const { internals } = model;
  const labels = internals.getDedupedMetricsNames();
  const validation = validationOf(context, call, model, args);
  const stepsPerEpoch = args.batchesPerEpoch ?? undefined;
  const size = dataset.size != null && Number.isFinite(dataset.size) ? dataset.size : null;
  return {
    model,
    epochs: args.epochs,
    initialEpoch: args.initialEpoch ?? 0,
    callbacks: standardizeCallbacks(context.tf, args.callbacks, args.yieldEvery),
    callbackParams: {
      epochs: args.epochs,
      initialEpoch: null,
      samples: null,
      steps: stepsPerEpoch ?? size,
      batchSize: null,
      verbose: args.verbose ?? 1,
      doValidation: validation !== undefined,
      metrics: validation ? [...labels, ...labels.map((label) => `val_${label}`)] : labels,
    } as unknown as Parameters<CallbackInternals['setParams']>[0],
    stepsPerEpoch,
    announcesBatch: true,
    open: (epoch, doneSteps, firstElement) =>
      openDataset(context, dataset, {
        model: internals,
        key: ['call', call.info.number, 'TRAIN', stepsPerEpoch === undefined ? epoch : 0],
        iteration: iterationOf(call.info.number, stepsPerEpoch === undefined ? epoch : 0),
        doneSteps,
        firstElement,
        position: () => call.position,
        classWeight: args.classWeight,
      }),
    validation,
  };
}

function validationOf(context: TrainingContext, call: RunningCall, model: AdoptedModel, args: FitDatasetArgs): FitValidation | undefined {
  const { validationData: data } = args;
  if (data == null) return undefined;
  const { internals } = model;
  if (isDataset(data)) {
    return {
      when: 'AFTER_LAST_BATCH',
      run: async (evaluation, epoch) => {
        const key = ['call', call.info.number, 'EVAL', epoch];
        const pass = await openDataset(context, data, {
          model: internals, key, iteration: iterationOf(call.info.number, epoch),
          doneSteps: evaluation.step, firstElement: evaluation.firstElement, position: () => evaluation.position,
        });
        while (args.validationBatches == null || evaluation.step < args.validationBatches) {
          context.collective.boundary();
          const batch = await pass.next(evaluation.step);
          if (!batch) break;
          await evaluation.add(batch);
        }
        return evaluation.finish();
      },
    };
  }
  const [x, y] = data as readonly [unknown, unknown];
  const batchSize = args.validationBatchSize ?? DEFAULT_VALIDATION_BATCH_SIZE;
  return {
    when: 'AFTER_LAST_BATCH',
    run: (evaluation) => {
      const standardized = standardize(context.tf, internals, x, y, batchSize);
      try {
        const batches = new TensorBatches(context.tf, standardized.data, batchSize);
        for (let batch = batches.at(evaluation.step); batch; batch = batches.at(evaluation.step)) evaluation.addSync(batch);
        return Promise.resolve(evaluation.finish());
      } finally {
        standardized.dispose();
      }
    },
  };
}
