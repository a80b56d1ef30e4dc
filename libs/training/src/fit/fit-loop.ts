/**
 * The one loop behind fit() and fitDataset(), in tfjs's order of callbacks, logs and stops.
 *
 * 1. Between two awaits the state is consistent: position, stage and run say what is done next, and a process that
 *    enters there (after onTrainBegin and restore of its callbacks) goes on with the same bits.
 * 2. All that it decides on (row counts, values, the stop flag) is the same on every member.
 */
import type { Position } from '@lockstep/reduction';
import type { History, Logs } from '@tensorflow/tfjs-layers';
import type { AdoptedModel } from '../adopted-model';
import type { RunningCall } from '../calls/call-sequence';
import { TrainingError } from '../errors';
import type { StepInfo, TrainingContext } from '../runtime';
import { bind, type Binding } from '../step/binding';
import type { Batch } from '../step/rows';
import { redo } from '../step/redo';
import { trainStep, type StepResult } from '../step/train-step';
import type { CallbackInternals } from '../tfjs';
import type { BatchSequence } from './batch-sequence';
import { Callbacks } from './callbacks';
import { RunningTotals } from './epoch-logs';
import { Evaluation, namedValues } from './evaluation';
import { FirstElement, usedUp } from './first-element';
import { HistoryRecorder } from './history';
import type { FitStage, RunState } from './run';

/** What one fit() or fitDataset() does. */
export interface FitPlan {
  readonly model: AdoptedModel;
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly callbacks: readonly CallbackInternals[];
  readonly callbackParams: Parameters<CallbackInternals['setParams']>[0];
  /** Steps after which an epoch ends though the data goes on; undefined: an epoch is a pass over the data. */
  readonly stepsPerEpoch: number | undefined;
  /** Opens the pass of an epoch (with stepsPerEpoch: the one pass of the call), some of whose steps are done. */
  open(epoch: number, doneSteps: number, firstElement: FirstElement): Promise<BatchSequence>;
  readonly validation: FitValidation | undefined;
  /** Whether onBatchBegin is told the batch's number and size, as fitDataset() does and fit() does not. */
  readonly announcesBatch: boolean;
}

export interface FitValidation {
  /** fit() validates before the end of the last batch is called back, fitDataset() after it. */
  readonly when: 'BEFORE_LAST_BATCH_END' | 'AFTER_LAST_BATCH';
  run(evaluation: Evaluation, epoch: number): Promise<readonly number[]>;
}

export async function runFit(context: TrainingContext, call: RunningCall, plan: FitPlan): Promise<History> {
  const binding = bind(context.tf, plan.model.internals);
  try {
    return await new FitLoop(context, call, plan, binding).run();
  } finally {
    binding.held.dispose();
  }
}

const NO_DURATIONS: StepInfo['durationsMs'] = { rows: 0, gradients: 0, exchange: 0, apply: 0 };

class FitLoop {
  private stage: FitStage = 'EPOCH_BEGIN';
  private readonly totals: RunningTotals;
  private readonly recorder: HistoryRecorder;
  private readonly callbacks: Callbacks;
  private validation: readonly number[] | null = null;
  private lastBatch: RunState['lastBatch'] = null;
  private evaluation: Evaluation | undefined;
  private readonly firstElement: FirstElement;
  private pass: BatchSequence | undefined;
  private passStep = 0;

  constructor(
    private readonly context: TrainingContext,
    private readonly call: RunningCall,
    private readonly plan: FitPlan,
    private readonly binding: Binding,
  ) {
    const run = call.resumed?.run;
    this.firstElement = new FirstElement(context, run?.firstElement ?? null);
    this.totals = new RunningTotals(binding.values);
    this.recorder = new HistoryRecorder(context.tf, [...(run?.epochs ?? [])], run?.history);
    this.callbacks = new Callbacks(context.tf, plan.callbacks, call);
    call.capture = () => ({ run: this.snapshot(), evaluation: this.evaluation?.progress ?? null });
  }

  async run(): Promise<History> {
    const { plan, call } = this;
    const { internals } = plan.model;
    const run = call.resumed?.run;
    this.recorder.history.params = plan.callbackParams;
    internals.history = this.recorder.history;
    if (!run) this.position = { ...call.position, epoch: plan.initialEpoch };
    await this.callbacks.begin(plan.callbackParams, internals);
    internals.stopTraining_ = false;
    if (run) this.load(run);
    // A process may enter between the epoch that stopped the training and its end.
    while (call.position.epoch < plan.epochs && !(this.stopped && this.stage === 'EPOCH_BEGIN')) await this.epoch();
    await this.callbacks.end();
    return this.recorder.history;
  }

  private async epoch(): Promise<void> {
    const { call, callbacks, totals } = this;
    const { epoch } = call.position;
    if (this.stage === 'EPOCH_BEGIN') {
      this.keyAmbient('epochBegin');
      totals.reset();
      this.validation = null;
      call.callbackRounds = 0;
      await callbacks.epochBegin(epoch);
      this.stage = 'BATCH_BEGIN';
    }
    await this.openPass(epoch);
    const wholeEpoch = await this.steps(epoch);
    if (wholeEpoch && this.plan.validation?.when === 'AFTER_LAST_BATCH') await this.validate(epoch);
    if (totals.rows === 0 && epoch === this.plan.initialEpoch) {
      throw new TrainingError('NO_ROWS', `the data to train model ${this.plan.model.name} on has no row: check the training split or dataset`, { position: call.position });
    }
    if (totals.rows === 0 && this.plan.stepsPerEpoch === undefined && this.context.replay !== 'NONE') throw usedUp(epoch, call.position);
    const logs: Logs = {};
    const { names } = this.binding.values;
    Object.assign(logs, prefixed('val_', namedValues(names, this.validation ?? [])), namedValues(names, totals.epochValues()));
    this.keyAmbient('epochEnd');
    await callbacks.epochEnd(epoch, logs);
    this.recorder.add(epoch, logs);
    this.position = { ...call.position, epoch: epoch + 1, step: 0 };
    this.stage = 'EPOCH_BEGIN';
    if (this.plan.stepsPerEpoch === undefined) this.firstElement.forget();
    totals.reset();
    this.validation = null;
    call.callbackRounds = 0;
    this.context.observer.onEpochEnd?.({ position: { ...call.position, epoch, phase: 'CALLBACKS' }, logs });
  }

  private async openPass(epoch: number): Promise<void> {
    const { plan, call } = this;
    if (plan.stepsPerEpoch !== undefined && this.pass) return;
    const before = plan.stepsPerEpoch === undefined ? 0 : (epoch - plan.initialEpoch) * plan.stepsPerEpoch;
    this.passStep = before + call.position.step;
    this.pass = await plan.open(epoch, this.passStep, this.firstElement);
  }

  /** Runs the steps of an epoch; false when it was stopped or the data ended before the epoch did. */
  private async steps(epoch: number): Promise<boolean> {
    const { plan, call } = this;
    for (;;) {
      if (this.stage !== 'BATCH_END') {
        if (plan.stepsPerEpoch !== undefined && call.position.step >= plan.stepsPerEpoch) return true;
        if (this.stopped && call.position.step > 0) return false;
        this.context.collective.boundary();
        const startedMs = performance.now();
        const batch = await this.pass?.next(this.passStep);
        if (!batch) {
          if (plan.stepsPerEpoch !== undefined) this.warnExhausted(plan.stepsPerEpoch);
          return plan.stepsPerEpoch === undefined;
        }
        await this.step(batch, performance.now() - startedMs);
      } else {
        await this.endBatch(epoch);
      }
    }
  }

  private async step(batch: Batch, rowsMs: number): Promise<void> {
    const { call, binding } = this;
    const { position } = call;
    const logs: Logs = {};
    let result: StepResult;
    try {
      this.checkBatchSize(batch.rowCount);
      if (this.stage === 'BATCH_BEGIN') {
        if (this.plan.announcesBatch) Object.assign(logs, { batch: position.step, size: batch.rowCount });
        this.keyAmbient('batchBegin');
        await this.callbacks.batchBegin(position.step, logs);
        this.stage = 'STEP';
      }
      result = await redo(() => trainStep(this.context, this.plan.model, binding, batch, position, this.callbacks.endOnInfiniteLoss), () => batch.renew());
    } finally {
      batch.dispose();
    }
    this.totals.add(result.values, batch.rowCount);
    this.lastBatch = { rows: batch.rowCount, values: binding.values.read(result.values), visits: result.visits };
    this.position = { ...position, step: position.step + 1 };
    this.passStep++;
    this.stage = 'BATCH_END';
    await this.endBatch(position.epoch, { result, rowsMs });
  }

  /** @param done absent where another process applied the step, and this one entered before its end */
  private async endBatch(epoch: number, done?: { readonly result: StepResult; readonly rowsMs: number }): Promise<void> {
    const { call, plan, binding, lastBatch } = this;
    if (!lastBatch) throw new Error('a batch ends that never began');
    const step = call.position.step - 1;
    if (plan.validation?.when === 'BEFORE_LAST_BATCH_END' && call.position.step === this.pass?.stepCount) await this.validate(epoch);
    const values = namedValues(binding.values.names, lastBatch.values);
    this.keyAmbient('batchEnd');
    await this.callbacks.batchEnd(step, { batch: step, size: lastBatch.rows, ...values });
    this.lastBatch = null;
    this.stage = 'BATCH_BEGIN';
    this.context.observer.onStep?.({
      position: { ...call.position, step }, rows: lastBatch.rows, visits: lastBatch.visits, values,
      computedReplicas: done?.result.computedReplicas ?? [],
      durationsMs: done ? { rows: done.rowsMs, ...done.result.durationsMs } : NO_DURATIONS,
    });
  }

  private async validate(epoch: number): Promise<void> {
    const { call, plan } = this;
    if (this.validation !== null || !plan.validation) return;
    const number = call.position.call;
    const resumed = call.resumed?.evaluation && call.resumed.run?.epochs.length === this.recorder.history.epoch.length ? call.resumed.evaluation : null;
    this.evaluation = new Evaluation(this.context, this.binding, (step) => ({ call: number, epoch, phase: 'EVAL', step }), resumed);
    this.validation = await plan.validation.run(this.evaluation, epoch);
    this.evaluation = undefined;
  }

  private checkBatchSize(rowCount: number): void {
    const { replicas } = this.context.collective;
    if (this.passStep > 0 || rowCount >= replicas) return;
    throw new TrainingError(
      'BATCH_TOO_SMALL',
      `the first batch has ${rowCount} rows, fewer than the job's ${replicas} logical replicas, so that some would never have any: use a batch size of at least ${replicas}, or a job with fewer replicas`,
      { position: this.call.position },
    );
  }

  private warnExhausted(stepsPerEpoch: number): void {
    const { epoch, step } = this.call.position;
    process.emitWarning(`the dataset ended at step ${step} of epoch ${epoch}, before batchesPerEpoch (${stepsPerEpoch}): use repeat(), or fewer batches or epochs`, { code: 'LOCKSTEP_DATASET_ENDED' });
  }

  private load(run: RunState): void {
    this.stage = run.stage;
    this.totals.load(run);
    this.validation = run.validation;
    this.lastBatch = run.lastBatch;
    this.plan.model.internals.stopTraining_ = run.stopTraining;
    this.callbacks.restore(run.callbacks);
  }

  private snapshot(): RunState {
    return {
      stage: this.stage,
      lastBatch: this.lastBatch,
      firstElement: this.firstElement.digest,
      rows: this.totals.rows,
      totals: this.totals.totals,
      epochs: [...this.recorder.history.epoch],
      history: this.recorder.pairs,
      validation: this.validation,
      stopTraining: this.stopped,
      callbackRounds: this.call.callbackRounds,
      callbacks: this.callbacks.states(),
    };
  }

  private get stopped(): boolean {
    return this.plan.model.internals.stopTraining_;
  }

  private set position(position: Position) {
    this.call.position = position;
  }

  /** Draws in callbacks depend on where they are called, not on what was drawn before. */
  private keyAmbient(event: string): void {
    const { call, epoch, step } = this.call.position;
    this.context.router.keyAmbient(['call', call, 'epoch', epoch, 'step', step, event]);
  }
}

const prefixed = (prefix: string, values: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
