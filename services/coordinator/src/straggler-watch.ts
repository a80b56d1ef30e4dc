/**
 * Whom a running job waits for, by name, long before it is given up.
 *
 * 1. A member is awaited when another has waited for sums for much longer than a step usually takes, and this one does not wait itself.
 * 2. One that is alone is awaited when it is in a step for as long.
 * 3. Where all wait for one another nobody is named: that is the network's, and the exchange's to find out.
 */
import { create } from '@bufbuild/protobuf';
import { MemberAwaitedSchema, type MemberActivity, type MemberAwaited } from '@lockstep/contract';
import { membersOf } from '@lockstep/membership';
import type { LiveJob } from './live-job';

/** A wait that people may wonder at. */
const LONG_MS = 5000;
/** How many usual steps make a long one. */
const LONG_STEPS = 5;
/** What was heard longer ago may be over. */
const FRESH_MS = 2000;

/** What a member was heard to do. */
interface Heard {
  readonly activity: MemberActivity;
  readonly atMs: number;
}

export class StragglerWatch {
  private readonly heard = new Map<string, Heard>();
  /** Of the wait that was told last of each worker: when it is told again. */
  private readonly nextMs = new Map<string, number>();

  hear(worker: string, activity: MemberActivity, nowMs: number): void {
    this.heard.set(worker, { activity, atMs: nowMs });
  }

  /** Whom the job waits for now, by rank. */
  awaited({ state, record }: Pick<LiveJob, 'state' | 'record'>, nowMs: number): MemberAwaited[] {
    if (state.kind !== 'RUNNING') return [];
    const members = membersOf(state).flatMap(({ worker, rank }) => {
      const heard = this.heard.get(worker);
      if (!heard || nowMs - heard.atMs > FRESH_MS) return [];
      const { waits, inCall, forMs, usualStepMs } = heard.activity;
      return [{ worker, rank, waits, inCall, usualStepMs, forMs: forMs + nowMs - heard.atMs }];
    });
    const longMs = Math.max(LONG_MS, LONG_STEPS * Math.max(0, ...members.map(({ usualStepMs }) => usualStepMs)));
    const busy = members.filter(({ waits }) => !waits);
    const [alone] = state.members.length === 1 ? busy.filter(({ inCall }) => inCall) : [];
    const waitedMs = alone ? alone.forMs : Math.max(0, ...members.filter(({ waits }) => waits).map(({ forMs }) => forMs));
    if (waitedMs < longMs) return [];
    const { position } = record.job;
    return busy.map(({ worker, rank }) => create(MemberAwaitedSchema, { worker, rank, waitingMs: Math.round(waitedMs), ...(position && { position }) }));
  }

  /** Those of whom it is time to tell: when a wait becomes long, and whenever it has doubled. */
  news(job: Pick<LiveJob, 'state' | 'record'>, nowMs: number): MemberAwaited[] {
    const awaited = this.awaited(job, nowMs);
    for (const worker of this.nextMs.keys()) if (!awaited.some((one) => one.worker === worker)) this.nextMs.delete(worker);
    const due = awaited.filter(({ worker, waitingMs }) => waitingMs >= (this.nextMs.get(worker) ?? 0));
    for (const { worker, waitingMs } of due) this.nextMs.set(worker, waitingMs * 2);
    return due;
  }
}
