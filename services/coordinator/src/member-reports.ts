import { create } from '@bufbuild/protobuf';
import { MemberReportSchema, type Generation, type MemberReport } from '@lockstep/contract';

/**
 * The books of the members that have finished, by rank: those of members that are gone count no more, and a rank may have
 * changed since its books were handed in.
 *
 * @param books of any workers, whatever they hold for rank and replicas
 */
export function memberReports(generation: Generation | undefined, books: readonly MemberReport[]): MemberReport[] {
  return (generation?.members ?? []).flatMap(({ rank, worker, replicas }) => {
    const report = books.findLast((one) => one.worker === worker);
    return report ? [{ ...create(MemberReportSchema, report), rank, ...(replicas && { replicas }) }] : [];
  });
}
