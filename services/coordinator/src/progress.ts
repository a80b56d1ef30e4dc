/** What members report, as changes of the job and as events: each point once. */
import { create } from '@bufbuild/protobuf';
import { fromProgressPoint } from '@lockstep/client';
import { CallEndedSchema, StepsCommittedSchema, type FinishedCall, type ProgressEntry, type TrainJob } from '@lockstep/contract';
import { isAfter, type ProgressPoint } from '@lockstep/membership';
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
  let last = committed;
  const events: NewEvent[] = [];
  const calls: FinishedCall[] = [];
  for (const { point: message, entry } of entries) {
    const point = fromProgressPoint(message);
    if (!point || !isAfter(point, last)) continue;
    last = point;
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
  return last === committed || !last ? undefined : { job: events.reduce(applyEvent, job), events, calls, committed: last };
}

/** Neighbouring steps are one event. */
function addStep(events: NewEvent[], step: Extract<NewEvent, { case: 'stepsCommitted' }>): void {
  const before = events.at(-1);
  if (before?.case !== 'stepsCommitted') events.push(step);
  else events[events.length - 1] = { case: 'stepsCommitted', value: create(StepsCommittedSchema, { ...step.value, steps: before.value.steps + step.value.steps, rows: before.value.rows + step.value.rows }) };
}

/** The job as clients see it after one event of its members. */
function applyEvent(job: TrainJob, event: NewEvent): TrainJob {
  switch (event.case) {
    case 'stepsCommitted':
      return {
        ...job, committedSteps: job.committedSteps + BigInt(event.value.steps), metrics: event.value.metrics,
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
    case 'checkpointCommitted':
    case undefined:
      return job;
  }
}
