/** All studies whose trials are jobs, each run once. */
import type { JobEvaluation } from '@lockstep/contract';
import type { Logger } from '@lockstep/rpc';
import type { Tuner } from '../study/tuner';
import type { StoredStudy, StudyStore } from '../store/study-store';
import { runStudy, type StudyRunnerParts } from './study-runner';

export interface JobRunnerParts extends Omit<StudyRunnerParts, 'tuner'> {
  readonly tuner: Tuner;
  readonly store: StudyStore;
  /** Commits what came of a study that is over; again after a crash, until it is noted. */
  readonly publish: (name: string) => Promise<void>;
  readonly logger: Logger;
}

const PAGE = 200;
/** Trials of one study that run as jobs at once. */
export const MAX_JOB_SLOTS = 256;

export class JobRunner {
  private readonly running = new Map<string, Promise<void>>();
  private readonly leave = new AbortController();

  constructor(private readonly parts: JobRunnerParts) {}

  /** Takes up all studies that are not over. */
  async start(): Promise<void> {
    for (let before: number | undefined; ;) {
      const rows = await this.parts.store.list({ limit: PAGE, ...(before !== undefined && { before }) });
      for (const stored of rows) this.take(stored);
      const last = rows.at(-1);
      if (rows.length < PAGE || !last) return;
      before = last.order;
    }
  }

  /** Runs a study that is new, or was given more to do, if its trials are jobs. */
  take({ study: { name, state, rules, results, nextNumber, ended }, spec: { jobs } }: StoredStudy): void {
    if (!jobs || this.leave.signal.aborted) return;
    if (state.kind !== 'ACTIVE' && (ended.succeeded === 0 || results?.trials === nextNumber)) return;
    const before = this.running.get(name) ?? Promise.resolve();
    const run = before.then(() => this.run(name, jobs, Math.min(rules.maxParallelTrials ?? 1, MAX_JOB_SLOTS))).finally(() => {
      if (this.running.get(name) === run) this.running.delete(name);
    });
    this.running.set(name, run);
  }

  /** Lets go of all studies; their jobs go on. */
  async close(): Promise<void> {
    this.leave.abort();
    await Promise.all(this.running.values());
  }

  private async run(name: string, evaluation: JobEvaluation, slots: number): Promise<void> {
    try {
      await runStudy(name, evaluation, slots, this.parts, this.leave.signal);
      if (!this.leave.signal.aborted) await this.parts.publish(name);
    } catch (e) {
      this.parts.logger.error({ err: e, study: name }, `${name} is not run any more: extend it, or restart the tuner, to take it up again`);
    }
  }
}
