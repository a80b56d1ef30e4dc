/** What members report, as changes of the job and as events: each point once. */
import { create } from '@bufbuild/protobuf';
import { addLedgers, fromProgressPoint } from '@lockstep/client';
import { CallEndedSchema, StepsCommittedSchema, type FinishedCall, type ProgressEntry, type TrainJob } from '@lockstep/contract';
import { newEntries, type ProgressPoint } from '@lockstep/membership';
import type { NewEvent } from './job-record';

/** What is new in a report. */
export interface Progress {
  readonly job: TrainJob;
  readonly events: readonly NewEvent[];
  readonly calls: readonly FinishedCall[];
  readonly committed: ProgressPoint;
}

/** @returns undefined when all of it is known */
export function takeProgress(job: TrainJob, committed: ProgressPoint | undefined, entries: readonly ProgressEntry[]): Progress | undefined {
  const news = newEntries(committed, entries, ({ point }) => fromProgressPoint(point));
  if (!news) return undefined;
  const events: NewEvent[] = [];
  const calls: FinishedCall[] = [];
  for (const { entry } of news.entries) {
    switch (entry.case) {
      case 'step':
        addStep(events, { case: 'stepsCommitted', value: entry.value });
        break;
      case 'callStarted':
        events.push({ case: 'callStarted', value: entry.value });
        break;
      case 'epochEnded':
        events.push({ case: 'epochEnded', value: entry.value });
        break;
      case 'callEnded':
        calls.push(entry.value);
        events.push({ case: 'callEnded', value: create(CallEndedSchema, { call: entry.value.number, kind: entry.value.kind }) });
        break;
      case undefined:
        break;
    }
  }
  return { job: events.reduce(applyEvent, job), events, calls, committed: news.committed };
}

/** Neighbouring steps are one event. */
function addStep(events: NewEvent[], step: Extract<NewEvent, { case: 'stepsCommitted' }>): void {
  const before = events.at(-1);
  if (before?.case !== 'stepsCommitted') {
    events.push(step);
    return;
  }
  const [older, newer] = [before.value, step.value];
  const value = create(StepsCommittedSchema, { ...newer, steps: older.steps + newer.steps, rows: older.rows + newer.rows, ledger: addLedgers(older.ledger, newer.ledger) });
  events[events.length - 1] = { case: 'stepsCommitted', value };
}

/** The job as clients see it after one event of its members. */
function applyEvent(job: TrainJob, event: NewEvent): TrainJob {
  switch (event.case) {
    case 'stepsCommitted':
      return {
        ...job, committedSteps: job.committedSteps + BigInt(event.value.steps), metrics: event.value.metrics, ledger: addLedgers(job.ledger, event.value.ledger),
        ...(event.value.position && { position: event.value.position }),
      };
    case 'epochEnded':
      return { ...job, metrics: event.value.metrics, ...(event.value.position && { position: event.value.position }) };
    case 'callStarted':
    case 'callEnded':
    case 'created':
    case 'stateChanged':
    case 'generationFormed':
    case 'memberLost':
    case 'memberJoined':
    case 'joinerDropped':
    case 'memberAwaited':
    case 'checkpointCommitted':
    case undefined:
      return job;
  }
}
