// Trains like a module with everything that has to survive (dropout, BatchNorm, Adam, early stopping, validation, two fits, a dataset) and ends its
// own process at a place that the job's customConfig names: once, on one worker. Nothing that it computes depends on it.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

/** Where a process ends. */
interface Fault {
  /** Its worker, as in workers/NAME. */
  readonly worker: string;
  readonly phase: 'DATA' | 'COMPUTE' | 'REDUCE' | 'APPLY' | 'EVALUATE' | 'CALLBACK' | 'EXPORT';
  /** The n-th time that the phase is entered by this process. */
  readonly count: number;
  /** Default: the process ends. HANG: its compute thread goes on for ever, in one step. LEAVE: its worker is told to end, as by its operator. KILL_CHIEF: w1's process ends, and not this one. */
  readonly how?: 'HANG' | 'LEAVE' | 'KILL_CHIEF';
  /** Folder that holds a mark of each fault that has happened. */
  readonly marks: string;
}

const ROWS = 160;
/** Of a layer whose gradient has more than the 64 KiB up to which a bucket goes to everybody at once: three workers scatter and gather it. */
const WIDTH = 160;

/** Where each computation is written down that has a gradient: a step that is done again is there twice. */
type ComputationLog = string | undefined;

/** Ends the process at its place, the first time that any process of the job comes there. */
class FaultPoint {
  private readonly entered = new Map<string, number>();
  private readonly executioner: Worker | undefined;
  private readonly signal = new Int32Array(new SharedArrayBuffer(4));

  constructor(private readonly faults: readonly Fault[], private readonly worker: string) {
    // Ends the process a moment after the compute thread has gone on: while it waits for its peers.
    if (faults.some(({ phase }) => phase === 'REDUCE')) {
      this.executioner = new Worker(
        'const { workerData } = require("node:worker_threads"); Atomics.wait(workerData, 0, 0); setTimeout(() => process.kill(process.pid, "SIGKILL"), 1);',
        { eval: true, workerData: this.signal },
      );
      this.executioner.unref();
    }
  }

  enter(phase: Fault['phase']): void {
    const count = (this.entered.get(phase) ?? 0) + 1;
    this.entered.set(phase, count);
    for (const fault of this.faults) {
      if (fault.worker !== this.worker || fault.phase !== phase || fault.count !== count) continue;
      try {
        mkdirSync(join(fault.marks, `${fault.worker}-${phase}-${count}`));
      } catch {
        continue; // It has happened: this is the next process.
      }
      while (fault.how === 'HANG');
      if (fault.how === 'KILL_CHIEF') {
        process.kill(Number(readFileSync(join(fault.marks, 'w1.pid'), 'utf8')), 'SIGKILL');
        continue;
      }
      if (fault.how === 'LEAVE') {
        process.kill(process.ppid, 'SIGTERM');
        continue;
      }
      if (phase !== 'REDUCE') process.kill(process.pid, 'SIGKILL');
      Atomics.store(this.signal, 0, 1);
      Atomics.notify(this.signal, 0);
    }
  }
}

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { faults = [], stepMs = 20, computations } = fnArgs.customConfig as { faults?: readonly Fault[]; stepMs?: number; computations?: ComputationLog };
  // <data>/work/workers-NAME/jobs-ID/working
  const worker = dirname(dirname(fnArgs.workingDir)).split('/').at(-1)?.replace('workers-', '') ?? '';
  const point = new FaultPoint(faults, worker);
  if (faults[0]) writeFileSync(join(faults[0].marks, `${worker}.pid`), String(process.pid));
  const pause = new tf.CustomCallback({ onBatchEnd: async () => {
    point.enter('CALLBACK');
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  } });

  class Watched extends tf.layers.Layer {
    static className = 'Watched';
    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
      point.enter(kwargs.training === true ? 'COMPUTE' : 'EVALUATE');
      if (kwargs.training === true) point.enter('REDUCE');
      if (kwargs.training === true && computations !== undefined) appendFileSync(computations, `${worker} ${process.pid}\n`);
      const [input] = Array.isArray(inputs) ? inputs : [inputs];
      if (!input) throw new Error('the layer was called without an input');
      return input.clone();
    }
    override computeOutputShape(shape: tf.Shape): tf.Shape { return shape; }
    override getConfig(): tf.serialization.ConfigDict {
      point.enter('EXPORT');
      return super.getConfig();
    }
  }

  const x = tf.randomNormal([ROWS, 8], 0, 1, 'float32', 3);
  const y = tf.oneHot(tf.argMax(x.slice([0, 0], [ROWS, 3]), 1).toInt(), 3).toFloat();
  const model = tf.sequential({ layers: [
    tf.layers.dense({ inputShape: [8], units: WIDTH, activation: 'relu' }),
    tf.layers.batchNormalization(),
    tf.layers.dropout({ rate: 0.2 }),
    new Watched({ name: 'watched' }),
    tf.layers.dense({ units: WIDTH, activation: 'relu' }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ] });
  const optimizer = tf.train.adam(0.01);
  const applyGradients = optimizer.applyGradients.bind(optimizer);
  optimizer.applyGradients = (gradients) => {
    point.enter('APPLY');
    applyGradients(gradients);
  };
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.fit(x, y, { batchSize: 32, epochs: 3, verbose: 0, validationSplit: 0.2, callbacks: [pause, tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 2 })] });
  const rows = tf.data.array(Array.from({ length: ROWS }, (_, i) => i)).map((i) => {
    point.enter('DATA');
    return { xs: x.slice([i, 0], [1, 8]).squeeze([0]), ys: y.slice([i, 0], [1, 3]).squeeze([0]) };
  });
  await model.fitDataset(rows.shuffle(40).batch(32), { epochs: 2, verbose: 0, callbacks: pause });
  await fnArgs.exportModel(model);
}
