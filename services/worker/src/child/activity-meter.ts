/** What the compute thread does, and for how long, as another thread sees it in the cells from time to time. */
import { create } from '@bufbuild/protobuf';
import { MemberActivitySchema, type MemberActivity } from '@lockstep/contract';
import type { LinkCells } from './link-cells';

/** Steps that the usual one is told from: their median, so that a slow one is not usual. */
const REMEMBERED = 15;

export class ActivityMeter {
  private steps: number;
  private stepMs: number;
  private waits: number;
  private waitsMs: number;
  private readonly stepTimesMs: number[] = [];

  constructor(private readonly cells: Pick<LinkCells, 'steps' | 'waits' | 'isWaiting' | 'inCall'>, nowMs: number) {
    this.steps = cells.steps;
    this.waits = cells.waits;
    this.stepMs = nowMs;
    this.waitsMs = nowMs;
  }

  /** To be called several times a second: what begins in between is taken to begin now. */
  look(nowMs: number): MemberActivity {
    const { cells } = this;
    if (cells.steps !== this.steps) {
      if (cells.inCall) this.stepTimesMs.push((nowMs - this.stepMs) / (cells.steps - this.steps));
      if (this.stepTimesMs.length > REMEMBERED) this.stepTimesMs.shift();
      [this.steps, this.stepMs] = [cells.steps, nowMs];
    }
    if (cells.waits !== this.waits) [this.waits, this.waitsMs] = [cells.waits, nowMs];
    // Who has come to a step has not done the same thing since before it.
    const sinceMs = cells.isWaiting ? this.waitsMs : Math.max(this.waitsMs, this.stepMs);
    return create(MemberActivitySchema, { waits: cells.isWaiting, inCall: cells.inCall, forMs: Math.round(nowMs - sinceMs), usualStepMs: Math.round(this.usualStepMs) });
  }

  private get usualStepMs(): number {
    const sorted = [...this.stepTimesMs].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }
}
