import { create } from '@bufbuild/protobuf';
import { toProgressPoint } from '@lockstep/client';
import { CommittedSchema } from '@lockstep/contract';
import { isStanding } from '@lockstep/membership';
import type { LiveJob, MemberSession } from './live-job';

/** Tells members up to where their job's progress is stored: so far they need not say it again. */
export function tellCommitted({ committed, state }: LiveJob, sessions: Iterable<MemberSession>): void {
  if (!committed || !isStanding(state)) return;
  const value = create(CommittedSchema, { point: toProgressPoint(committed) });
  for (const session of sessions) session.send({ case: 'committed', value }, BigInt(state.generation));
}

/** The same to all members, once for each point. */
export function tellAllCommitted(job: LiveJob): void {
  if (job.committed === job.told || !isStanding(job.state)) return;
  job.told = job.committed;
  tellCommitted(job, job.sessions.values());
}
