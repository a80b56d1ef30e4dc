export { admit, type Admission, type Applicant } from './admission';
export { dealSeats, type GroupMember, type Seat } from './group';
export { transition, type JobEffect, type JobFacts, type JobInput, type Transition } from './job-machine';
export { hasEnded, heldWorkers, type Fault, type FinishReport, type JobFailure, type JobState, type JobStateKind, type RendezvousPhase } from './job-state';
export { LeaseTable } from './leases';
export { ElasticCollective, type HandedState, type Membership, type StateSource } from './recovery/elastic-collective';
export { decodeNote, encodeNote, NOTE_ELEMENTS, type ResyncNote } from './recovery/resync-note';
export { planResync, ResyncError, type ResyncPlan } from './recovery/resync-plan';
