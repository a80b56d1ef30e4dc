/**
 * Members' progress, stored together: what comes in one turn of the event loop, or while a transaction is under way, goes into the same
 * transaction. So the number of jobs does not multiply the waits for the disk.
 *
 * 1. It is a decision like others, and none comes between what a report rests on and its being stored.
 * 2. A report that the store refuses refuses no other: they are stored one by one then.
 */
import type { ProgressEntry } from '@lockstep/contract';
import { reportersOf } from '@lockstep/membership';
import { CoordinatorError } from './coordinator-error';
import type { JobStore, JobUpdate } from './job-store';
import { encodeMachine, toStoredCall, type LiveJob, type MemberSession } from './live-job';
import { takeProgress, type Progress } from './progress';
import type { Serial } from './serial';
import { tellCommitted } from './tell-committed';

interface Report {
  readonly session: MemberSession;
  readonly entries: readonly ProgressEntry[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** What is new for one job, and who told it. */
interface News {
  readonly live: LiveJob;
  readonly reports: Report[];
  progress: Progress;
}

export class ProgressBatch {
  private waiting: Report[] = [];

  constructor(
    private readonly store: Pick<JobStore, 'updateAll'>,
    private readonly serial: Serial,
    private readonly liveOf: (job: string) => LiveJob | undefined,
    private readonly clock: { nowMs(): number },
  ) {}

  /** Resolves when it is stored. @throws CoordinatorError FENCED */
  tell(session: MemberSession, entries: readonly ProgressEntry[]): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ session, entries, done, failed });
      if (this.waiting.length === 1) setImmediate(() => void this.serial.run(() => this.storeAll()));
    });
  }

  private async storeAll(): Promise<void> {
    const reports = this.waiting;
    this.waiting = [];
    const news = this.newsOf(reports);
    try {
      await this.write(news);
    } catch (e) {
      if (news.length === 1) refuse(news, e);
      else for (const one of news) await this.write([one]).catch((cause: unknown) => refuse([one], cause));
    }
  }

  /** By job, in the order of their first reports; a report that brings nothing new is done. */
  private newsOf(reports: readonly Report[]): readonly News[] {
    const byJob = new Map<string, News>();
    for (const report of reports) {
      const { session, entries, done, failed } = report;
      const live = this.liveOf(session.job);
      if (!live) {
        done();
        continue;
      }
      const refusal = refusalOf(live, session);
      if (refusal) {
        failed(refusal);
        continue;
      }
      const before = byJob.get(session.job);
      const progress = takeProgress(before?.progress.job ?? live.record.job, before?.progress.committed ?? live.committed, entries);
      if (!progress) {
        if (before) before.reports.push(report);
        else done();
      } else if (before) {
        before.reports.push(report);
        before.progress = { ...progress, events: [...before.progress.events, ...progress.events], calls: [...before.progress.calls, ...progress.calls] };
      } else {
        byJob.set(session.job, { live, reports: [report], progress });
      }
    }
    return [...byJob.values()];
  }

  private async write(news: readonly News[]): Promise<void> {
    if (news.length === 0) return;
    await this.store.updateAll(news.map(toUpdate), this.clock.nowMs());
    for (const { live, reports, progress: { job, committed, calls } } of news) {
      live.record = { ...live.record, job };
      live.committed = committed;
      live.calls.push(...calls);
      // Who told it need not keep it; the others hear of it now and then.
      tellCommitted(live, reports.map(({ session }) => session));
      for (const { done } of reports) done();
    }
  }
}

const toUpdate = ({ live, progress: { job, events, committed, calls } }: News): JobUpdate =>
  ({ job, events, change: { machine: encodeMachine(live.state, committed), calls: calls.map(toStoredCall) } });

function refuse(news: readonly News[], error: unknown): void {
  for (const { failed } of news.flatMap(({ reports }) => reports)) failed(error);
}

function refusalOf(live: LiveJob, session: MemberSession): CoordinatorError | undefined {
  const { job, worker } = session;
  if (live.sessions.get(worker) !== session) return new CoordinatorError('FENCED', `${worker} speaks in a session of ${job} that is over`, { resource: job });
  if (reportersOf(live.state).some((member) => member.worker === worker)) return undefined;
  return new CoordinatorError('FENCED', `${worker} reports progress of ${job}, of which it is no member`, { resource: job });
}
