/**
 * The coordinators' database: what it has acknowledged stays, what it has not may be lost or kept.
 *
 * 1. A write is applied whole at one moment, or not at all, and acknowledged afterwards. Who dies in between does not know.
 * 2. Writes carry the epoch of the writer's lease, and one that is no longer the newest is refused.
 */
import type { Random } from './random';
import type { SimProcess } from './sim-process';

/** How long it may take; it errs and is slow for a while when faults say so. */
export interface StoreSettings {
  readonly latencyMs: number;
  readonly leaseTtlMs: number;
}

export type WriteOutcome = { readonly kind: 'STORED' } | { readonly kind: 'DISK_ERROR' } | { readonly kind: 'LEASE_LOST' };

export class DurableStore<Content> {
  /** Added to every write while the disk is slow. */
  slownessMs = 0;
  /** Share of writes that fail, while the disk errs. */
  errorChance = 0;
  errors = 0;
  private epoch = 0;
  private holder: { readonly process: SimProcess; expiresMs: number } | undefined;

  constructor(
    public content: Content,
    private readonly random: Random,
    private readonly settings: StoreSettings,
    /** Whether a write of an older lease is refused; only a planted bug says no. */
    private readonly fences: boolean,
  ) {}

  /** How often a coordinator has begun to lead. */
  get leasesGiven(): number {
    return this.epoch;
  }

  /** @returns the epoch of a lease that nobody holds; undefined when somebody does */
  acquire(process: SimProcess): number | undefined {
    const { time } = process;
    if (this.holder && this.holder.expiresMs > time.nowMs) return undefined;
    this.holder = { process, expiresMs: time.nowMs + this.settings.leaseTtlMs };
    return ++this.epoch;
  }

  /** @returns whether the lease is still that one */
  renew(process: SimProcess, epoch: number): boolean {
    if (!this.holder || epoch !== this.epoch) return false;
    this.holder.expiresMs = process.time.nowMs + this.settings.leaseTtlMs;
    return true;
  }

  /** The holder has given its lease up, so that the next one need not wait. */
  free(): void {
    this.holder = undefined;
  }

  /** @param change makes the new content of the old, when the write is applied */
  write(process: SimProcess, epoch: number, change: (content: Content) => Content, settled: (outcome: WriteOutcome) => void): void {
    const { time } = process;
    const takesMs = this.settings.latencyMs * (0.5 + this.random.unit()) + this.slownessMs * this.random.unit();
    const appliedAfter = this.random.unit();
    const settle = (delayMs: number, outcome: WriteOutcome): void => time.after(delayMs, () => process.run(() => settled(outcome)));
    time.after(takesMs * appliedAfter, () => {
      // It may have been on its way to the disk when its writer died.
      if (!process.alive && this.random.chance(0.5)) return;
      const rest = takesMs * (1 - appliedAfter);
      if (this.fences && epoch !== this.epoch) return settle(rest, { kind: 'LEASE_LOST' });
      if (this.errorChance > 0 && this.random.chance(this.errorChance)) {
        this.errors++;
        return settle(rest, { kind: 'DISK_ERROR' });
      }
      this.content = change(this.content);
      return settle(rest, { kind: 'STORED' });
    });
  }
}
