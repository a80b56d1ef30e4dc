/**
 * Takes away the checkpoints that a job has no use for any more.
 *
 * 1. Which ones a job keeps is stored before anything is deleted. What a crash leaves undone is done at the job's next checkpoint, or at its end: each time all
 *    versions are compared with the list.
 * 2. Only what is older than the newest in the list is deleted, and what is older than that is never taken into the list any more (`isSuperseded`). So nothing
 *    that a job goes on from is ever deleted, however late it is done, and by whomever.
 * 3. A job that succeeded needs none. Its list is emptied when all are deleted, so a list that is not empty says what is left to do.
 */
import type { TrainJob } from '@lockstep/contract';
import type { Logger } from '@lockstep/rpc';
import { parseVersionName } from '@lockstep/versions';
import type { JobStore } from './job-store';

/** The checkpoints of jobs at the artifact service. */
export interface CheckpointShelf {
  /**
   * Deletes the versions of a job's checkpoints that are older than the newest of those to keep and are none of them; all when none is to be kept.
   *
   * @param kept names of versions
   * @param reason in words, kept with what stays of the deleted ones
   */
  retain(job: string, kept: readonly string[], reason: string): Promise<void>;
}

/** What shall be left of a job's checkpoints. */
interface Retention {
  /** Names of versions. */
  readonly kept: readonly string[];
  readonly reason: string;
  /** What has to come before. Its failure leaves everything as it is. */
  readonly after?: Promise<void>;
  /** Notes that it was done. */
  readonly done?: () => Promise<void>;
}

const numberOf = (version: string): number | undefined => parseVersionName(version)?.number;

/** Whether a checkpoint was committed before one in the list: it may be deleted already. */
export function isSuperseded(version: string, listed: readonly string[]): boolean {
  const number = numberOf(version);
  return number !== undefined && listed.some((other) => (numberOf(other) ?? 0) > number);
}

export class CheckpointCleaner {
  /** The newest of each job; it says all that an older one did. */
  private readonly wanted = new Map<string, Retention>();
  private readonly busy = new Set<string>();

  /** @param serial runs a change of the store among the decisions */
  constructor(
    private readonly shelf: CheckpointShelf,
    private readonly store: Pick<JobStore, 'listCheckpoints' | 'succeededWithCheckpoints' | 'update'>,
    private readonly serial: (task: () => Promise<void>) => Promise<void>,
    private readonly clock: { nowMs(): number },
    private readonly logger: Logger,
  ) {}

  /** Goes on with what an earlier process left. */
  async recover(): Promise<void> {
    for (const job of await this.store.succeededWithCheckpoints()) this.succeeded(job);
  }

  /** A running job keeps these now. */
  listChanged(job: string, kept: readonly string[]): void {
    this.begin(job, { kept, reason: 'newer checkpoints took its place' });
  }

  succeeded(job: TrainJob): void {
    const done = async (): Promise<void> => {
      const droppedCheckpoints = (await this.store.listCheckpoints(job.name)).map((one) => one.version);
      if (droppedCheckpoints.length > 0) await this.serial(() => this.store.update(job, [], this.clock.nowMs(), { droppedCheckpoints }));
    };
    this.begin(job.name, { kept: [], reason: `${job.name} has succeeded`, done });
  }

  /** A job that ended otherwise keeps its list: somebody may look into it. @param fenced until then a member may still commit one */
  async ended(job: string, fenced: Promise<void>): Promise<void> {
    const kept = (await this.store.listCheckpoints(job)).map((one) => one.version);
    this.begin(job, { kept, reason: `${job} has ended without it`, after: fenced });
  }

  private begin(job: string, retention: Retention): void {
    this.wanted.set(job, retention);
    if (!this.busy.has(job)) void this.work(job);
  }

  /** One deletion of a job after the other. Nobody waits for them: the artifact service may be slow. */
  private async work(job: string): Promise<void> {
    this.busy.add(job);
    for (let next = this.wanted.get(job); next; next = this.wanted.get(job)) {
      this.wanted.delete(job);
      try {
        await next.after;
        await this.shelf.retain(job, next.kept, next.reason);
        await next.done?.();
      } catch (err) {
        this.logger.warn({ err, job }, 'checkpoints that are not needed any more could not be deleted; they stay until the next attempt');
      }
    }
    this.busy.delete(job);
  }
}
