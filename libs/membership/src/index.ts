export { admit, type Admission, type Applicant } from './admission';
export { dealSeats, type GroupMember, type Seat } from './group';
export { barredWorkers, type Bar } from './job/bars';
export { transition } from './job/job-machine';
export type { JobEffect, JobFacts, JobInput, JobNotice, Transition } from './job/job-transition';
export {
  hasEnded, heldWorkers, isStanding, membersOf, QUEUED, reportersOf,
  type CallsAtStart, type Fault, type FinishReport, type JobFailure, type Joiner, type JobState, type JobStateKind, type StandingState, type Suspicion,
} from './job/job-state';
export { addressOf, refusalOf, type Hello, type KnownProcess } from './job/hello';
export { callsToTell } from './job/told-calls';
export { LeaseTable } from './leases';
export { ElasticCollective } from './recovery/elastic-collective';
export type { HandedState, Membership, StateSource } from './recovery/membership';
export { decodeNote, encodeNote, NOTE_ELEMENTS, type ResyncNote } from './recovery/resync-note';
export { planResync, ResyncError, type ResyncPlan } from './recovery/resync-plan';
export { comparePoints, isAfter, PROGRESS_KINDS, type ProgressKind, type ProgressPoint } from './progress/progress-point';
export { newEntries, type NewEntries } from './progress/new-entries';
export { MemberOutbox, type OutboxRules, type Saying, type StatementKind } from './progress/member-outbox';
export { takeCheckpoint, type CheckpointChange, type CheckpointMark } from './progress/checkpoint-list';
export { CheckpointSchedule, type CheckpointPolicy } from './progress/checkpoint-schedule';
export type { Course, Wait } from './recovery/course';
