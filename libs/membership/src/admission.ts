/** What admission needs to know of a queued job. */
export interface Applicant {
  readonly job: string;
  readonly minWorkers: number;
  readonly maxWorkers: number;
}

/** A job that may start, and on whom. */
export interface Admission {
  readonly job: string;
  readonly workers: readonly string[];
}

/**
 * First come, first served: the oldest job starts as soon as its minimum is free, all or none, and takes up to its
 * maximum. A job that must wait makes the younger ones wait too, so that a large job is not starved by small ones.
 *
 * @param queue oldest first
 * @param free workers in a stable order; lower ones are dealt first
 */
export function admit(queue: readonly Applicant[], free: readonly string[]): readonly Admission[] {
  const admitted: Admission[] = [];
  let rest = free;
  for (const { job, minWorkers, maxWorkers } of queue) {
    if (rest.length < minWorkers) break;
    admitted.push({ job, workers: rest.slice(0, maxWorkers) });
    rest = rest.slice(maxWorkers);
  }
  return admitted;
}
