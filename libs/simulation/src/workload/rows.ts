import { BatchPlan, cutShards, RecordNumbers, ShuffledOrder } from '@lockstep/sharding';
import type { RowVisit } from './model';
import type { FitCall, Workload } from './workload';

/** Steps of one fit, and the rows of each of them. */
export interface FitData {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  rowsOf(step: number, replica: number): readonly RowVisit[];
  rowCount(step: number): number;
}

/** The rows that a workload's fits read: libs/sharding's own plan, kept, since the members of a run all ask for them. */
export class WorkloadData {
  private readonly fits = new Map<number, FitData>();
  private readonly numbers: RecordNumbers;

  constructor(private readonly workload: Workload) {
    const { records, shardRecords } = workload;
    const half = Math.ceil(records / 2);
    this.numbers = new RecordNumbers(cutShards('train', [{ file: 'a', recordCount: half }, { file: 'b', recordCount: records - half }], shardRecords));
  }

  /** @param call number of the fit among the calls */
  fit(call: number, fit: FitCall): FitData {
    const known = this.fits.get(call);
    if (known) return known;
    const made = this.make(call, fit);
    this.fits.set(call, made);
    return made;
  }

  private make(call: number, { epochs, batchSize }: FitCall): FitData {
    const { seed, replicas } = this.workload;
    const order = new ShuffledOrder(this.numbers, { bufferSize: 16, key: [seed, call] });
    const plan = new BatchPlan(this.numbers, order, { batchSize, passCount: epochs, dropFinalBatch: false });
    const kept = new Map<number, readonly RowVisit[]>();
    return {
      steps: plan.stepCount,
      stepsPerEpoch: Math.ceil(plan.stepCount / epochs),
      rowCount: (step) => plan.rowCount(step),
      rowsOf: (step, replica) => {
        const key = step * replicas + replica;
        const rows = kept.get(key) ?? plan.rowsOfReplica(step, replica, replicas).map(({ pass, record }) => ({ pass, record }));
        kept.set(key, rows);
        return rows;
      },
    };
  }
}
