import { create } from '@bufbuild/protobuf';
import { JobStateChangedSchema, MemberJoinedSchema, MemberLostSchema, type TrainJob } from '@lockstep/contract';
import type { JobNotice, JobState } from '@lockstep/membership';
import type { NewEvent } from './job-record';

/** What watchers are told of a move of a job's machine. */
export function eventsOf(before: TrainJob, next: TrainJob, state: JobState, notices: readonly JobNotice[], formed: boolean, detail: string): readonly NewEvent[] {
  const events: NewEvent[] = notices.map(noticed);
  if (next.state !== before.state) {
    events.push({ case: 'stateChanged', value: create(JobStateChangedSchema, {
      state: next.state, detail, ...(next.error && { error: next.error }), ...(state.kind === 'SUCCEEDED' && next.result && { result: next.result }),
    }) });
  }
  if (formed && next.generation) events.push({ case: 'generationFormed', value: { $typeName: 'lockstep.coordinator.v1.GenerationFormed', generation: next.generation } });
  return events;
}

function noticed(notice: JobNotice): NewEvent {
  switch (notice.kind) {
    case 'MEMBER_LOST':
    case 'MEMBER_LEFT':
      return { case: 'memberLost', value: create(MemberLostSchema, { worker: notice.worker, rank: notice.rank, detail: notice.kind === 'MEMBER_LOST' ? notice.detail : '', left: notice.kind === 'MEMBER_LEFT' }) };
    case 'MEMBER_JOINED':
      return { case: 'memberJoined', value: create(MemberJoinedSchema, { worker: notice.worker, rank: notice.rank }) };
    case 'JOINER_DROPPED':
      return { case: 'joinerDropped', value: { $typeName: 'lockstep.coordinator.v1.JoinerDropped', worker: notice.worker, detail: notice.detail } };
  }
}
