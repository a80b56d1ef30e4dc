import { iterationOf, passOf } from '@lockstep/sharding';
import type { ModelFitArgs, History } from '@tensorflow/tfjs-layers';
import type { AdoptedModel } from '../adopted-model';
import { callLabel, type CallRequest } from '../calls/call-claim';
import type { RunningCall } from '../calls/call-sequence';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import type { FitLoopArguments } from '../tfjs';
import { countRows, describeData } from './describe-data';
import { runFit } from './fit-loop';
import { TensorBatches, tensorData } from './tensor-batches';

/** tfjs's default. */
const DEFAULT_BATCH_SIZE = 32;

/** @throws TrainingError (BATCH_TOO_SMALL) */
export function fitRequest(context: TrainingContext, model: AdoptedModel, x: unknown, y: unknown, args: ModelFitArgs): CallRequest {
  const { tf, collective } = context;
  const batchSize = args.batchSize ?? DEFAULT_BATCH_SIZE;
  if (batchSize < collective.replicas) {
    throw new TrainingError(
      'BATCH_TOO_SMALL',
      `batchSize ${batchSize} is smaller than the job's ${collective.replicas} logical replicas (batchSize is that of the global batch, which they share): use a batchSize of at least ${collective.replicas}, or a job with fewer replicas`,
    );
  }
  const rowCount = Math.floor((countRows(tf, x) ?? 0) * (1 - (args.validationSplit ?? 0)));
  return {
    kind: 'fit',
    extent: { epochs: args.epochs ?? 1, stepsPerEpoch: Math.ceil(rowCount / batchSize) },
    data: { kind: 'ROWS', rowCount },
    label: callLabel('fit', { epochs: args.epochs ?? 1, batchSize, rows: countRows(tf, x), model: model.name }),
    arguments: {
      model: model.index,
      x: describeData(tf, x),
      y: describeData(tf, y),
      batchSize,
      epochs: args.epochs ?? 1,
      initialEpoch: args.initialEpoch ?? 0,
      shuffle: args.shuffle ?? true,
      classWeight: (args.classWeight ?? null) as JsonValue,
      validationSplit: args.validationSplit ?? null,
      validationData: describeData(tf, args.validationData),
    },
  };
}

/** The loop that fit() enters once tfjs has checked and standardised its arguments. */
export function fitLoop(context: TrainingContext, call: RunningCall, model: AdoptedModel, args: FitLoopArguments): Promise<History> {
  const [, tensors, , batchSize, epochs = 1, verbose = 1, callbacks, validationFunction, validationTensors, shuffle = true, metrics, initialEpoch = 0] = args;
  if (typeof shuffle === 'string') throw new TrainingError('BAD_ARGUMENT', `shuffle: '${shuffle}' is not implemented in tfjs; use true or false`);
  const { tf, router } = context;
  const { internals } = model;
  const data = tensorData(internals.inputs.length, internals.outputs.length, tensors);
  const validates = validationFunction != null;
  const validationData = validates ? tensorData(internals.inputs.length, internals.outputs.length, validationTensors) : undefined;
  return runFit(context, call, {
    model,
    epochs,
    initialEpoch,
    callbacks,
    callbackParams: { epochs, initialEpoch, samples: data.rowCount, steps: null, batchSize, verbose, doValidation: validates, metrics } as unknown as Parameters<LayersModelCallback['setParams']>[0],
    stepsPerEpoch: undefined,
    announcesBatch: false,
    open: (epoch) => {
      const pass = passOf(iterationOf(call.info.number, epoch), 0);
      if (!shuffle) return Promise.resolve(new TensorBatches(tf, data, batchSize, { pass }));
      const order = Int32Array.from({ length: data.rowCount }, (_, i) => i);
      router.withKey(['call', call.info.number, 'epoch', epoch, 'rows'], () => tf.util.shuffle(order));
      return Promise.resolve(new TensorBatches(tf, data, batchSize, { pass, order }));
    },
    validation: validationData && {
      when: 'BEFORE_LAST_BATCH_END',
      run: (evaluation) => {
        const batches = new TensorBatches(tf, validationData, batchSize);
        for (let batch = batches.at(evaluation.step); batch; batch = batches.at(evaluation.step)) evaluation.addSync(batch);
        return Promise.resolve(evaluation.finish());
      },
    },
  });
}

type LayersModelCallback = FitLoopArguments[6][number];
