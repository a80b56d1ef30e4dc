/**
 * What a workload comes to on one machine that nothing happens to, computed without any of the code that is tested: the
 * oracle of a run.
 */
import { foldTree, type Range } from '@lockstep/reduction';
import { Ledger } from '@lockstep/sharding';
import type { ProgressPoint } from '@lockstep/membership';
import { applyBucket, applyStatistics, evaluationPart, gradients, modelDigest, stepValues, type ModelState } from './model';
import { callDigest, rateOf } from './calls';
import { WorkloadData } from './rows';
import { addToBooks, encodeState, initialState, NO_BOOKS, type Books, type LoggedCall } from './training-state';
import type { FitCall, Workload } from './workload';

/** What members report of a point, and what it must be. */
export interface ExpectedPoint {
  readonly point: ProgressPoint;
  /** Of the model after the step; of the logged call; empty otherwise. */
  readonly digest: string;
  readonly books: Books;
}

export interface Undisturbed {
  /** In the order of the job. */
  readonly points: readonly ExpectedPoint[];
  /** Of the TrainingState at the end. */
  readonly stateDigest: string;
  /** Of what the last export writes. */
  readonly modelDigest: string;
  readonly steps: number;
}

export function computeUndisturbed(workload: Workload): Undisturbed {
  const run = new UndisturbedRun(workload);
  return run.compute();
}

class UndisturbedRun {
  private readonly model: ModelState;
  private readonly data: WorkloadData;
  private readonly whole: Range;
  private readonly points: ExpectedPoint[] = [];
  private readonly calls: LoggedCall[] = [];
  private books = NO_BOOKS;
  private exported = '';

  constructor(private readonly workload: Workload) {
    this.model = initialState(workload).model;
    this.data = new WorkloadData(workload);
    this.whole = { from: 0, to: workload.replicas };
  }

  compute(): Undisturbed {
    this.workload.calls.forEach((call, number) => {
      this.tell({ call: number, epoch: 0, step: 0, kind: 'CALL_STARTED' });
      const digest = callDigest(this.workload, this.calls, number);
      const result = call.kind === 'fit' ? this.fit(number, call) : call.kind === 'evaluate' ? this.evaluate([number, 0], call.rounds) : this.export(number);
      this.calls.push({ kind: call.kind, digest, result });
      this.tell({ call: number, epoch: 0, step: 0, kind: 'CALL_ENDED' }, `${digest} ${result}`);
    });
    const { books, calls, model } = this;
    return { points: this.points, steps: books.steps, stateDigest: encodeState({ books, calls, running: null, model }).digest, modelDigest: this.exported };
  }

  private fit(number: number, call: FitCall): number {
    const data = this.data.fit(number, call);
    const ledger = new Ledger({ recordCount: this.workload.records, windowPositions: 1 });
    const rate = rateOf(this.calls, number);
    let [step, lastLoss] = [0, 0];
    for (let epoch = 0; epoch < call.epochs; epoch++) {
      let epochLoss = 0;
      for (const end = Math.min(data.steps, (epoch + 1) * data.stepsPerEpoch); step < end; step++) {
        const reader = (replica: number): string => `replica ${replica}`;
        for (let replica = 0; replica < this.workload.replicas; replica++) {
          ledger.record({ position: `${step}`, replica, reader: reader(replica), visits: data.rowsOf(step, replica) });
        }
        epochLoss += this.trainStep(number, epoch, step, data, rate);
      }
      if (call.validationRounds > 0) epochLoss += this.evaluate([number, 1 + epoch], call.validationRounds);
      if (call.evaluatesInCallback) epochLoss += this.evaluate([number, 1001 + epoch], 1);
      lastLoss = Math.fround(lastLoss / 2 + epochLoss);
      this.tell({ call: number, epoch, step: 0, kind: 'EPOCH_ENDED' }, `${lastLoss}`);
    }
    if (ledger.check().completePasses !== call.epochs) throw new Error(`the plan of call ${number} does not read every record ${call.epochs} times`);
    return lastLoss;
  }

  private trainStep(number: number, epoch: number, step: number, data: ReturnType<WorkloadData['fit']>, rate: number): number {
    const { workload, model } = this;
    const parts = Array.from({ length: workload.replicas }, (_, replica) => {
      const rows = data.rowsOf(step, replica);
      return rows.length === 0 ? undefined : gradients(workload, model, rows, [number, step, replica]);
    });
    const sums = ([0, 1] as const).map((bucket) => foldTree<Float32Array>(this.whole, (leaf) => parts[leaf]?.[bucket], addVectors));
    const [first, second] = sums;
    if (!first || !second) throw new Error(`step ${step} of call ${number} has no rows`);
    applyBucket(workload, model, 0, first, rate);
    applyBucket(workload, model, 1, second, rate);
    applyStatistics(workload, model, second);
    const values = stepValues(workload, second);
    this.books = addToBooks(this.books, values);
    this.tell({ call: number, epoch, step, kind: 'STEP' }, modelDigest(model, `${number} ${step}`));
    return values.loss;
  }

  private evaluate(key: readonly number[], rounds: number): number {
    let loss = 0;
    for (let round = 0; round < rounds; round++) {
      const sum = foldTree<Float32Array>(this.whole, (replica) => evaluationPart(this.workload, this.model, [...key, round, replica]), addVectors);
      loss = Math.fround(loss + Math.fround((sum?.[0] ?? 0) / (sum?.[1] ?? 1)));
    }
    return loss;
  }

  private export(number: number): number {
    this.exported = modelDigest(this.model, 'model');
    return number;
  }

  private tell(point: ProgressPoint, digest = ''): void {
    this.points.push({ point, digest, books: this.books });
  }
}

const addVectors = (left: Float32Array, right: Float32Array): Float32Array => left.map((value, i) => value + (right[i] ?? NaN));
