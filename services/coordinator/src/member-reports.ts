import { create } from '@bufbuild/protobuf';
import { MemberReportSchema, type MemberFinished, type MemberReport, type TrainJob } from '@lockstep/contract';

/** The books of the members that have finished, by rank. */
export function memberReports(job: TrainJob, finished: ReadonlyMap<string, MemberFinished>): MemberReport[] {
  return (job.generation?.members ?? []).flatMap(({ rank, worker, replicas }) => {
    const report = finished.get(worker)?.report;
    return report ? [{ ...create(MemberReportSchema, report), rank, worker, ...(replicas && { replicas }) }] : [];
  });
}
