/** What admission needs to know of a queued job. */
export interface Applicant {
  readonly job: string;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /** Workers that it does not take now. */
  readonly barred: readonly string[];
  /** Workers that it takes only for want of others: it lost members there. */
  readonly avoided: readonly string[];
}

/** A job that may start, and on whom. */
export interface Admission {
  readonly job: string;
  readonly workers: readonly string[];
}

/**
 * First come, first served: the oldest job starts as soon as its minimum is free, all or none, and takes up to its
 * maximum. A job that must wait makes the younger ones wait too, so that a large job is not starved by small ones; what it
 * does not take is left to them when it starts.
 *
 * @param queue oldest first
 * @param free workers in a stable order; lower ones are dealt first
 */
export function admit(queue: readonly Applicant[], free: readonly string[]): readonly Admission[] {
  const admitted: Admission[] = [];
  let rest = free;
  for (const { job, minWorkers, maxWorkers, barred, avoided } of queue) {
    const open = rest.filter((worker) => !barred.includes(worker));
    const chosen = [...open.filter((worker) => !avoided.includes(worker)), ...open.filter((worker) => avoided.includes(worker))].slice(0, maxWorkers);
    const workers = open.filter((worker) => chosen.includes(worker));
    if (workers.length < minWorkers) break;
    admitted.push({ job, workers });
    rest = rest.filter((worker) => !workers.includes(worker));
  }
  return admitted;
}
