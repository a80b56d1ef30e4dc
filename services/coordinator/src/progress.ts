import type { TrainJob } from '@lockstep/contract';
import type { NewEvent } from './job-record';

/** The job as clients see it after one event of its chief. */
export function applyProgress(job: TrainJob, event: NewEvent): TrainJob {
  switch (event.case) {
    case 'stepsCommitted':
      return {
        ...job, committedSteps: job.committedSteps + BigInt(event.value.steps), metrics: event.value.metrics,
        ...(event.value.position && { position: event.value.position }),
      };
    case 'epochEnded':
      return { ...job, metrics: event.value.metrics, ...(event.value.position && { position: event.value.position }) };
    case 'callEnded':
      return event.value.metrics.length > 0 ? { ...job, metrics: event.value.metrics } : job;
    case 'created':
    case 'stateChanged':
    case 'generationFormed':
    case 'callStarted':
    case undefined:
      return job;
  }
}
