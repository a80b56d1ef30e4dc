/**
 * Reads global batches by row ranges, ahead of their use.
 *
 * 1. What is read depends on (step, range) alone; reading ahead changes when, never what.
 * 2. Reads ahead are bounded, and those that nobody can ask for any more are forgotten.
 */
import type { Columns, ParseSpec, RowReader, RowRequest } from '@lockstep/examples';
import type { Range } from '@lockstep/reduction';
import type { DataPlan, RowPlace } from '@lockstep/sharding';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { BatchSource, RowsRead } from '../batch-source';

/** What batches are made of and with. */
export interface BatchReading {
  readonly plan: DataPlan;
  /** What the plan follows from. */
  readonly examples: NonNullable<BatchSource['examples']>;
  readonly spec: ParseSpec;
  readonly reader: RowReader;
  /** Where a file lies on this machine. */
  readonly localPath: (file: string) => Promise<string>;
  /** From parsed rows to the element of the dataset. */
  readonly toElement: (columns: Columns) => TensorContainer;
}

/** Rows and steps to read ahead: enough to keep a reader busy while a step is computed. */
const ROWS_AHEAD = 512;
const STEPS_AHEAD = { least: 2, most: 16 };

interface Reading {
  readonly step: number;
  readonly rows: readonly RowPlace[];
  readonly columns: Promise<Columns>;
}

export class ExampleBatches implements BatchSource {
  readonly stepCount: number;
  readonly examples: NonNullable<BatchSource['examples']>;
  private readonly readings = new Map<string, Reading>();

  constructor(private readonly reading: BatchReading) {
    this.stepCount = reading.plan.stepCount;
    this.examples = reading.examples;
  }

  rowCount(step: number): number {
    return this.reading.plan.rowCount(step);
  }

  parts(step: number, replicas: number): readonly Range[] {
    return this.reading.plan.parts(step, replicas);
  }

  async rows(step: number, range: Range): Promise<RowsRead> {
    const { rows, columns } = this.start(step, range);
    this.forgetBut(step);
    this.readAhead(step, range);
    return { element: this.reading.toElement(await columns), visits: rows };
  }

  prefetch(step: number, ranges: readonly Range[]): void {
    if (step >= this.stepCount) return;
    for (const range of ranges) if (range.from < range.to) this.start(step, range);
  }

  /** The next steps' rows, as far as they are known: those of a batch of another size are dealt in another way. */
  private readAhead(step: number, range: Range): void {
    const rowCount = this.rowCount(step);
    const steps = Math.min(STEPS_AHEAD.most, Math.max(STEPS_AHEAD.least, Math.ceil(ROWS_AHEAD / Math.max(1, range.to - range.from))));
    for (let next = step + 1; next <= step + steps && next < this.stepCount; next++) {
      if (this.rowCount(next) === rowCount) this.start(next, range);
    }
  }

  private start(step: number, range: Range): Reading {
    const key = `${step}:${range.from}:${range.to}`;
    const known = this.readings.get(key);
    if (known) return known;
    const rows = this.reading.plan.recordsOf(step, range);
    const started: Reading = { step, rows, columns: this.read(rows) };
    this.readings.set(key, started);
    // Whoever asks for the rows gets the error; nobody may.
    started.columns.catch(() => undefined);
    return started;
  }

  private async read(rows: readonly RowPlace[]): Promise<Columns> {
    const { reader, spec } = this.reading;
    return reader.read(await this.request(rows, spec));
  }

  private async request(rows: readonly RowPlace[], spec: ParseSpec): Promise<RowRequest> {
    const numbers = new Map<string, number>();
    const fileOfRow = Uint32Array.from(rows, ({ file }) => {
      const number = numbers.get(file) ?? numbers.size;
      numbers.set(file, number);
      return number;
    });
    const files = await Promise.all([...numbers.keys()].map((file) => this.reading.localPath(file)));
    return { files, fileOfRow, recordOfRow: Float64Array.from(rows, ({ fileRecord }) => fileRecord), spec };
  }

  /** Keeps what belongs to a step or comes soon after it: one that is redone is read again. */
  private forgetBut(step: number): void {
    for (const [key, reading] of this.readings) {
      if (reading.step < step || reading.step > step + STEPS_AHEAD.most) this.readings.delete(key);
    }
  }
}
