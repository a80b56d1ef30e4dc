import type { Logger } from '@lockstep/rpc';
import type { JobStore } from './job-store';

/** Jobs of one transaction: a job may have very many events. */
const BATCH = 20;

/** Forgets jobs that have ended long ago, with their events and calls: the books of a coordinator do not grow for ever. What they made stays. */
export class JobRetention {
  private sweeping: Promise<void> | undefined;

  /** @param keepMs how long a job is kept after its end; 0: for ever */
  constructor(private readonly store: Pick<JobStore, 'deleteEnded'>, private readonly keepMs: number, private readonly clock: { nowMs(): number }, private readonly logger: Pick<Logger, 'info' | 'warn'>) {}

  /** Forgets whatever is due; one sweep at a time. */
  sweep(): Promise<void> {
    this.sweeping ??= this.run().catch((err: unknown) => this.logger.warn({ err }, 'jobs whose time is over could not be deleted; they stay until the next attempt')).finally(() => { this.sweeping = undefined; });
    return this.sweeping;
  }

  /** Resolves when no sweep is under way. */
  async settled(): Promise<void> {
    await this.sweeping;
  }

  private async run(): Promise<void> {
    if (this.keepMs === 0) return;
    for (;;) {
      const deleted = await this.store.deleteEnded(this.clock.nowMs() - this.keepMs, BATCH);
      if (deleted.length > 0) this.logger.info({ jobs: deleted }, `forgot ${deleted.length} ${deleted.length === 1 ? 'job that has' : 'jobs that have'} ended long ago`);
      if (deleted.length < BATCH) return;
    }
  }
}
