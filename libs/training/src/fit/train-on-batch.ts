import { iterationOf, passOf } from '@lockstep/sharding';
import type { AdoptedModel } from '../adopted-model';
import { callLabel, type CallRequest } from '../calls/call-claim';
import type { RunningCall } from '../calls/call-sequence';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import { bind } from '../step/binding';
import { redoSync } from '../step/redo';
import { trainStep } from '../step/train-step';
import { countRows, describeData } from './describe-data';
import { namedValues } from './evaluation';
import type { RunState } from './run';
import { standardize } from './standardized';
import { TensorBatches } from './tensor-batches';

/** @throws TrainingError (BATCH_TOO_SMALL) */
export function trainOnBatchRequest(context: TrainingContext, model: AdoptedModel, x: unknown, y: unknown): CallRequest {
  const { tf, collective } = context;
  const rows = countRows(tf, x);
  if (rows !== undefined && rows < collective.replicas) {
    throw new TrainingError('BATCH_TOO_SMALL', `a batch of ${rows} rows is smaller than the job's ${collective.replicas} logical replicas, which share it: use at least ${collective.replicas} rows, or a job with fewer replicas`);
  }
  return {
    kind: 'trainOnBatch',
    ...(rows !== undefined && { extent: { epochs: 1, stepsPerEpoch: 1 }, data: { kind: 'ROWS', rowCount: rows } }),
    label: callLabel('trainOnBatch', { rows, model: model.name }),
    arguments: { model: model.index, x: describeData(tf, x), y: describeData(tf, y) },
  };
}

/** What a single step keeps once it is applied: only its result. */
const APPLIED: Omit<RunState, 'lastBatch'> = {
  stage: 'BATCH_END', firstElement: null, rows: 0, totals: [], epochs: [], history: [], validation: null, stopTraining: false, callbackRounds: 0, callbacks: [],
};

/** One step on one global batch. Returns loss and metrics. */
export function trainOnBatch(context: TrainingContext, call: RunningCall, model: AdoptedModel, x: unknown, y: unknown): readonly number[] {
  const { tf, observer } = context;
  // The state was taken between the step and the end of the call.
  const applied = call.resumed?.run?.lastBatch;
  if (applied) return applied.values;
  const { internals } = model;
  const startedMs = performance.now();
  const standardized = standardize(tf, internals, x, y, countRows(tf, x) ?? 1);
  const binding = bind(tf, internals);
  try {
    const batch = new TensorBatches(tf, standardized.data, standardized.data.rowCount, { pass: passOf(iterationOf(call.info.number, 0), 0) }).at(0);
    if (!batch) throw new TrainingError('NO_ROWS', `trainOnBatch() of model ${model.name} was given no row`, { position: call.position });
    const rowsMs = performance.now() - startedMs;
    const { position } = call;
    const { values, visits, computedReplicas, durationsMs } = redoSync(() => trainStep(context, model, binding, batch, position));
    call.position = { ...position, step: position.step + 1 };
    const numbers = binding.values.read(values);
    call.capture = () => ({ run: { ...APPLIED, lastBatch: { rows: batch.rowCount, values: numbers, visits } }, evaluation: null });
    observer.onStep?.({ position, rows: batch.rowCount, visits, values: namedValues(binding.values.names, numbers), computedReplicas, durationsMs: { rows: rowsMs, ...durationsMs } });
    return numbers;
  } finally {
    binding.held.dispose();
    standardized.dispose();
  }
}
