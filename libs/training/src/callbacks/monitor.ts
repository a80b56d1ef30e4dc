import type { Logs } from '@tensorflow/tfjs-layers';
import type { Direction } from './direction';
import { directionOf } from './direction';
import type { OptionReader } from '../options';

/** The options of a callback that watches a metric. */
export interface MonitorOptions {
  /** Name in the logs. Default: `val_loss`. */
  readonly monitor?: string;
  /** Whether less or more is better; `auto` (the default) tells by the metric's name, and refuses a name that does not tell. */
  readonly mode?: 'auto' | Direction;
}

const f32 = Math.fround;

/** A metric, and what counts as better: Keras 3's comparison, which is made in float32. */
export class Monitor {
  private warned = false;

  constructor(
    /** Of the callback, for warnings. */
    private readonly owner: string,
    readonly metric: string,
    private readonly direction: Direction,
    /** A change of at most this is no improvement. */
    private readonly minDelta: number,
  ) {}

  /** Forgets that it warned: a fit begins. */
  reset(): void {
    this.warned = false;
  }

  /** The metric's value; a metric that is not there is warned of once. */
  read(logs: Logs): number | undefined {
    const value = logs[this.metric];
    if (value === undefined && !this.warned) {
      this.warned = true;
      process.emitWarning(`${this.owner} watches ${this.metric}, which is not in the logs; there are: ${Object.keys(logs).join(', ')}`, { code: 'LOCKSTEP_NO_METRIC' });
    }
    return value;
  }

  /** Whether a value is better; any is better than null. NaN is never better than a number, and nothing is better than NaN. */
  improves(value: number, reference: number | null): boolean {
    if (reference === null) return true;
    switch (this.direction) {
      case 'min':
        return f32(value + this.minDelta) < f32(reference);
      case 'max':
        return f32(value - this.minDelta) > f32(reference);
    }
  }
}

/** @throws TrainingError (BAD_ARGUMENT), also for a metric whose name does not tell its direction while mode is `auto` */
export function readMonitor<O extends MonitorOptions>(owner: string, options: OptionReader<O>, minDelta: number): Monitor {
  const metric = options.string('monitor', 'val_loss');
  const mode = options.oneOf('mode', ['auto', 'min', 'max'], 'auto');
  const direction = mode === 'auto' ? directionOf(metric) : mode;
  if (!direction) throw options.refuse(`whether more or less of ${metric} is better cannot be told by its name: pass mode: 'max' or mode: 'min'`);
  return new Monitor(owner, metric, direction, Math.abs(minDelta));
}
