import type { Position } from '@lockstep/reduction';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import type { Binding } from '../step/binding';
import { evaluateStep } from '../step/evaluate-step';
import { redo, redoSync } from '../step/redo';
import type { Batch } from '../step/rows';
import { RunningTotals } from './epoch-logs';
import { FirstElement } from './first-element';
import type { EvaluationProgress } from './run';

/** One evaluation over batches: loss and metrics over all rows, the same on every member. */
export class Evaluation {
  readonly firstElement: FirstElement;
  private readonly totals: RunningTotals;
  private done = 0;

  constructor(
    private readonly context: TrainingContext,
    private readonly binding: Binding,
    /** The position of a round. */
    private readonly positionOf: (step: number) => Position,
    resumed?: EvaluationProgress | null,
  ) {
    this.firstElement = new FirstElement(context, resumed?.firstElement ?? null);
    this.totals = new RunningTotals(binding.values);
    if (resumed) {
      this.totals.load(resumed);
      this.done = resumed.step;
    }
  }

  /** Batches done. */
  get step(): number {
    return this.done;
  }

  /** The position of the next batch. */
  get position(): Position {
    return this.positionOf(this.done);
  }

  get progress(): EvaluationProgress {
    return { step: this.done, firstElement: this.firstElement.digest, rows: this.totals.rows, totals: this.totals.totals };
  }

  /** Evaluates the next batch, which holds all rows, and disposes of it. */
  addSync(batch: Batch): void {
    this.context.collective.boundary();
    try {
      this.count(redoSync(() => this.evaluate(batch)), batch);
    } finally {
      batch.dispose();
    }
  }

  /** Evaluates the next batch and disposes of it. */
  async add(batch: Batch): Promise<void> {
    try {
      this.count(await redo(() => this.evaluate(batch), () => batch.renew()), batch);
    } finally {
      batch.dispose();
    }
  }

  /** Values by the binding's names. @throws TrainingError (NO_ROWS) */
  finish(): readonly number[] {
    const { position } = this;
    if (this.totals.rows === 0) {
      throw new TrainingError('NO_ROWS', `there is no row to evaluate model ${this.binding.model.name} on: check the evaluation split or dataset`, { position });
    }
    const values = this.totals.evaluationValues();
    this.context.observer.onEvaluation?.({ position, rows: this.totals.rows, values: namedValues(this.binding.values.names, values) });
    return values;
  }

  private evaluate(batch: Batch): Float32Array {
    return evaluateStep(this.context, this.binding, batch, this.position);
  }

  private count(values: Float32Array, batch: Batch): void {
    this.totals.add(values, batch.rowCount);
    this.done++;
  }
}

export const namedValues = (names: readonly string[], values: readonly number[]): Record<string, number> =>
  Object.fromEntries(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]]])));
