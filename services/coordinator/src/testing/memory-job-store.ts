import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JobEventSchema, type JobEvent, type TrainJob } from '@lockstep/contract';
import { jobHasEnded, type JobRecord, type NewEvent } from '../job-record';
import type { JobPage, JobStore } from '../job-store';

/** A JobStore in memory, for tests: keeps the same promises but durability. */
export class MemoryJobStore implements JobStore {
  private readonly records = new Map<string, JobRecord>();
  private readonly log: JobEvent[] = [];
  private readonly waiting = new Set<() => void>();
  private generation = 0;

  insert(record: JobRecord, events: readonly NewEvent[], nowMs: number): Promise<void> {
    this.records.set(record.job.name, record);
    this.append(record.job.name, events, nowMs);
    return Promise.resolve();
  }

  update(job: TrainJob, events: readonly NewEvent[], nowMs: number): Promise<void> {
    const before = this.records.get(job.name);
    if (!before) return Promise.reject(new Error(`${job.name} was never stored`));
    this.records.set(job.name, { ...before, job });
    this.append(job.name, events, nowMs);
    return Promise.resolve();
  }

  get(name: string): Promise<JobRecord | undefined> {
    return Promise.resolve(this.records.get(name));
  }

  findByRequestId(requestId: string): Promise<JobRecord | undefined> {
    return Promise.resolve([...this.records.values()].find((r) => r.requestId === requestId));
  }

  list({ pageSize, cursor, states }: { readonly pageSize: number; readonly cursor?: string; readonly states: readonly number[] }): Promise<JobPage> {
    const all = [...this.records.values()].map((r) => r.job).reverse().filter((j) => states.length === 0 || states.includes(j.state));
    const from = cursor === undefined ? 0 : all.findIndex((j) => j.name === cursor) + 1;
    const jobs = all.slice(from, from + pageSize);
    const last = from + pageSize < all.length ? jobs.at(-1)?.name : undefined;
    return Promise.resolve({ jobs, ...(last !== undefined && { nextCursor: last }) });
  }

  unfinished(): Promise<readonly JobRecord[]> {
    return Promise.resolve([...this.records.values()].filter((r) => !jobHasEnded(r.job)));
  }

  nextGeneration(): Promise<number> {
    return Promise.resolve(++this.generation);
  }

  readEvents(job: string, afterSequence: bigint, limit: number): Promise<readonly JobEvent[]> {
    return Promise.resolve(this.log.filter((e) => e.job === job && e.sequence > afterSequence).slice(0, limit));
  }

  waitForEvents(job: string, afterSequence: bigint, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(check);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const check = (): void => {
        if (this.log.some((e) => e.job === job && e.sequence > afterSequence)) done();
      };
      this.waiting.add(check);
      signal.addEventListener('abort', done, { once: true });
      check();
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private append(job: string, events: readonly NewEvent[], nowMs: number): void {
    for (const event of events) this.log.push(create(JobEventSchema, { sequence: BigInt(this.log.length + 1), time: timestampFromMs(nowMs), job, event }));
    for (const check of [...this.waiting]) check();
  }
}
