export { admit, type Admission, type Applicant } from './admission';
export { dealSeats, type GroupMember, type Seat } from './group';
export { transition } from './job/job-machine';
export type { JobEffect, JobFacts, JobInput, JobNotice, Transition } from './job/job-transition';
export {
  hasEnded, heldWorkers, isStanding, membersOf, QUEUED,
  type Fault, type FinishReport, type JobFailure, type Joiner, type JobState, type JobStateKind, type StandingState, type Suspicion,
} from './job/job-state';
export { LeaseTable } from './leases';
export { ElasticCollective, type HandedState, type Membership, type StateSource } from './recovery/elastic-collective';
export { decodeNote, encodeNote, NOTE_ELEMENTS, type ResyncNote } from './recovery/resync-note';
export { planResync, ResyncError, type ResyncPlan } from './recovery/resync-plan';
export { comparePoints, isAfter, PROGRESS_KINDS, type ProgressKind, type ProgressPoint } from './progress/progress-point';
export type { Course, Wait } from './recovery/course';
