import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { JobEventSchema, JobState, type JobEvent, type TrainJob } from '@lockstep/contract';
import { jobHasEnded, type JobRecord, type NewEvent } from '../job-record';
import { mergeAll, mergeCall, mergeCheckpoint } from '../job-change';
import type { Checkpoint, FinishedCall, JobChange, JobStore, JobUpdate, ListedJob } from '../job-store';
import { noSuchJob } from '../job-store-error';

/** What a job goes on with. */
interface Progress {
  readonly calls: Map<number, FinishedCall>;
  readonly checkpoints: Map<string, Checkpoint>;
}

/** A JobStore in memory, for tests: keeps the same promises but durability. */
export class MemoryJobStore implements JobStore {
  private readonly records = new Map<string, JobRecord>();
  private readonly progress = new Map<string, Progress>();
  private log: JobEvent[] = [];
  private sequence = 0;
  private readonly waiting = new Set<() => void>();
  private generation = 0;

  insert(record: JobRecord, events: readonly NewEvent[], nowMs: number): Promise<void> {
    const { job: { name }, requestId } = record;
    if (this.records.has(name)) return Promise.reject(new Error(`${name} is stored already`));
    if (requestId !== '' && [...this.records.values()].some((r) => r.requestId === requestId)) return Promise.reject(new Error(`request id ${requestId} is stored already`));
    this.records.set(name, record);
    this.append(record.job.name, events, nowMs);
    return Promise.resolve();
  }

  update(job: TrainJob, events: readonly NewEvent[], nowMs: number, change: JobChange = {}): Promise<void> {
    return this.updateAll([{ job, events, change }], nowMs);
  }

  updateAll(updates: readonly JobUpdate[], nowMs: number): Promise<void> {
    const progress = new Map<string, Progress>();
    try {
      for (const { job: { name }, change } of updates) {
        if (!this.records.has(name)) throw noSuchJob(name);
        progress.set(name, merged(name, progress.get(name) ?? this.progressOf(name), change));
      }
    } catch (e) {
      return Promise.reject(e);
    }
    for (const { job, events, change } of updates) {
      const before = this.records.get(job.name);
      if (before) this.records.set(job.name, { ...before, job, machine: change.machine ?? before.machine });
      this.append(job.name, events, nowMs);
    }
    for (const [name, next] of progress) this.progress.set(name, next);
    return Promise.resolve();
  }

  deleteEnded(beforeMs: number, limit: number): Promise<readonly string[]> {
    const endMs = ({ job: { endTime } }: JobRecord): number => (endTime ? timestampMs(endTime) : Infinity);
    const names = [...this.records.values()].filter((r) => endMs(r) < beforeMs).sort((a, b) => endMs(a) - endMs(b)).slice(0, limit).map(({ job }) => job.name);
    for (const name of names) {
      this.records.delete(name);
      this.progress.delete(name);
    }
    this.log = this.log.filter(({ job }) => !names.includes(job));
    return Promise.resolve(names);
  }

  get(name: string): Promise<JobRecord | undefined> {
    return Promise.resolve(this.records.get(name));
  }

  findByRequestId(requestId: string): Promise<JobRecord | undefined> {
    return Promise.resolve([...this.records.values()].find((r) => r.requestId === requestId));
  }

  list({ limit, before = Infinity, states }: { readonly limit: number; readonly before?: number; readonly states: readonly number[] }): Promise<readonly ListedJob[]> {
    const all = [...this.records.values()].map(({ job }, i) => ({ order: i + 1, job })).reverse();
    return Promise.resolve(all.filter(({ order, job }) => order < before && (states.length === 0 || states.includes(job.state))).slice(0, limit));
  }

  unfinished(): Promise<readonly JobRecord[]> {
    return Promise.resolve([...this.records.values()].filter((r) => !jobHasEnded(r.job)));
  }

  succeededWithCheckpoints(): Promise<readonly TrainJob[]> {
    return Promise.resolve([...this.records.values()].map((r) => r.job).filter((job) => job.state === JobState.SUCCEEDED && this.progressOf(job.name).checkpoints.size > 0));
  }

  nextGeneration(): Promise<number> {
    return Promise.resolve(++this.generation);
  }

  listCalls(job: string): Promise<readonly FinishedCall[]> {
    return Promise.resolve([...this.progressOf(job).calls.values()].sort((a, b) => a.number - b.number));
  }

  listCheckpoints(job: string): Promise<readonly Checkpoint[]> {
    return Promise.resolve([...this.progressOf(job).checkpoints.values()].sort((a, b) => b.step - a.step || b.generation - a.generation));
  }

  readEvents(job: string, afterSequence: bigint, limit: number): Promise<readonly JobEvent[]> {
    return Promise.resolve(this.log.filter((e) => e.job === job && e.sequence > afterSequence).slice(0, limit));
  }

  async *watchEvents(job: string, afterSequence: bigint, signal: AbortSignal): AsyncGenerator<JobEvent> {
    let last = afterSequence;
    while (!signal.aborted) {
      const news = this.news(signal); // listening begins before reading: what comes in between is not missed
      const events = await this.readEvents(job, last, 100);
      for (const event of events) {
        last = event.sequence;
        yield event;
      }
      if (events.length === 0) await news;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private progressOf(job: string): Progress {
    return this.progress.get(job) ?? { calls: new Map(), checkpoints: new Map() };
  }

  private news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  private append(job: string, events: readonly NewEvent[], nowMs: number): void {
    for (const event of events) this.log.push(create(JobEventSchema, { sequence: BigInt(++this.sequence), time: timestampFromMs(nowMs), job, event }));
    for (const wake of [...this.waiting]) wake();
  }
}

function merged(job: string, { calls, checkpoints }: Progress, change: JobChange): Progress {
  const next: Progress = {
    calls: new Map([...calls, ...mergeAll(calls, change.calls ?? [], (c) => c.number, (s, t) => mergeCall(job, s, t))]),
    checkpoints: new Map([...checkpoints, ...mergeAll(checkpoints, change.checkpoints ?? [], (c) => c.version, (s, t) => mergeCheckpoint(job, s, t))]),
  };
  for (const version of change.droppedCheckpoints ?? []) next.checkpoints.delete(version);
  return next;
}
