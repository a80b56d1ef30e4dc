import type { Position } from '@lockstep/reduction';
import { iterationOf } from '@lockstep/sharding';
import type { ModelEvaluateArgs } from '@tensorflow/tfjs-layers';
import type { AdoptedModel } from '../adopted-model';
import { callLabel, type CallRequest } from '../calls/call-claim';
import type { CallSequence, RunningCall } from '../calls/call-sequence';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import { bind, type Binding } from '../step/binding';
import { openDataset, type ElementDataset, type ElementIterator } from './dataset-batches';
import { countRows, describeData } from './describe-data';
import { Evaluation } from './evaluation';
import { refuseIterators } from './first-element';
import { describeDataset } from './fit-dataset';
import { numbersCodec } from './history';
import { standardize } from './standardized';
import { TensorBatches } from './tensor-batches';

/** tfjs's default. */
const DEFAULT_BATCH_SIZE = 32;

/** How evaluateDataset() is called; tfjs has a type of its own that it does not export. */
export interface EvaluateDatasetArgs {
  readonly batches?: number;
  readonly verbose?: unknown;
}

/** Loss and metrics on tensors, as a call of its own or inside the callbacks of the running one. */
export function evaluate(context: TrainingContext, calls: CallSequence, model: AdoptedModel, x: unknown, y: unknown, args: ModelEvaluateArgs): readonly number[] {
  const { tf } = context;
  const batchSize = args.batchSize ?? DEFAULT_BATCH_SIZE;
  if (!Number.isInteger(batchSize) || batchSize < 1) throw new TrainingError('BAD_ARGUMENT', `evaluate(): batchSize must be a positive integer, got ${batchSize}`);
  if (args.steps != null) throw new TrainingError('BAD_ARGUMENT', 'evaluate(): steps is not implemented in tfjs');
  const request: CallRequest = {
    kind: 'evaluate',
    label: callLabel('evaluate', { rows: countRows(tf, x), batchSize, model: model.name }),
    arguments: { model: model.index, x: describeData(tf, x), y: describeData(tf, y), batchSize },
  };
  const body = (positionOf: PositionOf, call?: RunningCall): readonly number[] => {
    const standardized = standardize(tf, model.internals, x, y, batchSize);
    const binding = bind(tf, model.internals);
    try {
      const evaluation = new Evaluation(context, binding, positionOf, call?.resumed?.evaluation);
      if (call) call.capture = () => ({ run: null, evaluation: evaluation.progress });
      const batches = new TensorBatches(tf, standardized.data, batchSize);
      for (let batch = batches.at(evaluation.step); batch; batch = batches.at(evaluation.step)) evaluation.addSync(batch);
      return evaluation.finish();
    } finally {
      binding.held.dispose();
      standardized.dispose();
    }
  };
  if (calls.beginNested(request)) return body(nestedPositions(calls));
  return calls.runSync(request, numbersCodec, (call) => body(ownPositions(call.info.number), call));
}

/** Loss and metrics on a dataset or an iterator, as a call of its own or inside the callbacks of the running one. */
export async function evaluateDataset(
  context: TrainingContext,
  calls: CallSequence,
  model: AdoptedModel,
  dataset: ElementDataset | ElementIterator,
  args: EvaluateDatasetArgs,
): Promise<readonly number[]> {
  const { batches } = args;
  if (batches != null && (!Number.isInteger(batches) || batches < 1)) throw new TrainingError('BAD_ARGUMENT', `evaluateDataset(): batches must be a positive integer, got ${batches}`);
  refuseIterators(context, 'evaluateDataset()', dataset);
  const request: CallRequest = {
    kind: 'evaluateDataset',
    label: callLabel('evaluateDataset', { batches, model: model.name }),
    arguments: { model: model.index, dataset: describeDataset(dataset), batches: batches ?? null },
  };
  const body = async (evaluation: Evaluation, epoch: number): Promise<readonly number[]> => {
    const key = ['call', calls.number, 'EVAL', epoch];
    const pass = await openDataset(context, dataset, {
      model: model.internals, key, iteration: iterationOf(calls.number, epoch),
      doneSteps: evaluation.step, firstElement: evaluation.firstElement, position: () => evaluation.position,
    });
    while (batches == null || evaluation.step < batches) {
      context.collective.boundary();
      const batch = await pass.next(evaluation.step);
      if (!batch) break;
      await evaluation.add(batch);
    }
    return evaluation.finish();
  };
  const bound = async <T>(run: (binding: Binding) => Promise<T>): Promise<T> => {
    const binding = bind(context.tf, model.internals);
    try {
      return await run(binding);
    } finally {
      binding.held.dispose();
    }
  };
  if (calls.beginNested(request)) {
    return bound((binding) => body(new Evaluation(context, binding, nestedPositions(calls)), calls.position.epoch));
  }
  return calls.run(request, numbersCodec, (call) =>
    bound((binding) => {
      const evaluation = new Evaluation(context, binding, ownPositions(call.info.number), call.resumed?.evaluation);
      call.capture = () => ({ run: null, evaluation: evaluation.progress });
      return body(evaluation, 0);
    }),
  );
}

type PositionOf = (step: number) => Position;

const ownPositions = (call: number): PositionOf => (step) => ({ call, epoch: 0, phase: 'EVAL', step });

/** Rounds in callbacks are counted over the epoch: each has a position of its own. */
function nestedPositions(calls: CallSequence): PositionOf {
  const call = calls.require();
  const { epoch } = call.position;
  const first = call.callbackRounds;
  return (step) => {
    call.callbackRounds = first + step + 1;
    return { call: call.info.number, epoch, phase: 'CALLBACKS', step: first + step };
  };
}
