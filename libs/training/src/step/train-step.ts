import { type Position } from '@lockstep/reduction';
import { readTally, writeTally, type TallySummary } from '@lockstep/sharding';
import type { AdoptedModel } from '../adopted-model';
import { TrainingError } from '../errors';
import type { RandomKey } from '../random/random-stream';
import type { StepInfo, TrainingContext } from '../runtime';
import { applyReduced } from './apply';
import type { Binding } from './binding';
import { computeReplica } from './compute-replica';
import { disposeContribution, type Contribution } from './contribution';
import { checkRepeatable } from './repeatable';
import { disposeRows, type Batch } from './rows';

/** What a step gave, besides the new state. */
export interface StepResult {
  /** The batch's reduced values, as the binding's value layout says. */
  readonly values: Float32Array;
  /** The records that the step as a whole consumed: a part of its sum, so that they count exactly when the step does. */
  readonly visits: TallySummary;
  readonly computedReplicas: readonly number[];
  readonly durationsMs: Omit<StepInfo['durationsMs'], 'rows'>;
}

/** Key of a replica's random numbers: with the job's seed, all that they depend on. */
export const replicaKey = (position: Position, replica: number): RandomKey =>
  ['call', position.call, 'epoch', position.epoch, position.phase, 'step', position.step, 'replica', replica];

/**
 * One training step: computes this member's replicas, reduces over the group, applies. Synchronous. When it throws, the
 * state is as before.
 * @param skipsInfiniteLoss whether a step whose loss is not finite ends without being applied, instead of throwing
 * @throws TrainingError (NAN_LOSS, FOREIGN_WRITE, NOT_REPEATABLE, APPLY_FAILED), CollectiveError
 */
export function trainStep(context: TrainingContext, adopted: AdoptedModel, binding: Binding, batch: Batch, position: Position, skipsInfiniteLoss = false): StepResult {
  const { tf, collective, reducer, router } = context;
  const parts = batch.parts(collective.replicas);
  const computedReplicas: number[] = [];
  let gradientsMs = 0;
  // Callbacks may have set weights since the last step.
  binding.held.refresh();
  const startedMs = performance.now();
  const compute = (replica: number): Contribution => {
    const begunMs = performance.now();
    const part = parts[replica] ?? { from: 0, to: 0 };
    const rows = batch.rows(part);
    try {
      const once = (): Contribution =>
        computeReplica(tf, router, binding, rows, Math.fround((part.to - part.from) / batch.rowCount), replicaKey(position, replica));
      const contribution = once();
      if (!adopted.repeatable) {
        try {
          checkRepeatable(contribution, once, binding.layers, position);
        } catch (error) {
          disposeContribution(contribution);
          throw error;
        }
        adopted.repeatable = true;
      }
      writeTally(batch.tally(part), contribution.tail.subarray(binding.tallyOffset));
      computedReplicas.push(replica);
      return contribution;
    } finally {
      disposeRows(rows);
      gradientsMs += performance.now() - begunMs;
    }
  };
  const reduced = reducer.reduce(position, binding, parts.map((part) => part.to > part.from), compute);
  const reducedMs = performance.now();
  try {
    const values = reduced.tail.slice(0, binding.values.size);
    const visits = readTally(reduced.tail.subarray(binding.tallyOffset));
    const applies = !skipsInfiniteLoss || Number.isFinite(values[0]);
    if (applies) {
      checkLoss(binding, values, position);
      applyReduced(tf, binding, reduced, position);
    }
    return {
      values,
      visits,
      computedReplicas,
      durationsMs: { gradients: gradientsMs, exchange: reducedMs - startedMs - gradientsMs, apply: performance.now() - reducedMs },
    };
  } finally {
    disposeContribution(reduced);
  }
}

function checkLoss(binding: Binding, values: Float32Array, position: Position): void {
  const loss = values[0];
  if (loss !== undefined && Number.isFinite(loss)) return;
  const metric = binding.values.names[0] ?? 'loss';
  throw new TrainingError(
    'NAN_LOSS',
    `the ${metric} of model ${binding.model.name} is ${loss}, so the step was not applied. Check the data for missing or huge values, lower the learning rate, or clip.`,
    { position, metric },
  );
}
