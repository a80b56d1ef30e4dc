/** When a member's state is to be written. Durations in milliseconds. */

export interface CheckpointPolicy {
  /** 0: not by steps. */
  readonly everySteps: number;
  /** 0: not by time. */
  readonly everyMs: number;
}

/**
 * Counts steps and time since the last checkpoint was due. All members count, so that whoever writes next goes on with it.
 * The clock is an argument.
 */
export class CheckpointSchedule {
  private stepsSince = 0;

  constructor(
    private readonly policy: CheckpointPolicy,
    private lastMs: number,
  ) {}

  /** A step was applied. @returns whether a checkpoint is due */
  stepDone(nowMs: number): boolean {
    const { everySteps, everyMs } = this.policy;
    this.stepsSince++;
    const due = (everySteps > 0 && this.stepsSince >= everySteps) || (everyMs > 0 && nowMs - this.lastMs >= everyMs);
    if (!due) return false;
    this.stepsSince = 0;
    this.lastMs = nowMs;
    return true;
  }
}
