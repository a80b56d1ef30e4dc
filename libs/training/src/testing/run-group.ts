import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TestBackend } from './load-backend';
import type { MemberData } from './member';
import type { ProgramOutcome, ProgramRun } from './run-program';
import { sharedGroup } from './shared-memory-collective';

/** Threads run compiled code: `tsc -b` comes before the tests. */
const MEMBER = path.resolve(__dirname, '..', '..', 'dist', 'testing', 'member.js');

export interface GroupRun {
  readonly backend?: TestBackend;
  readonly replicas: number;
  /** One entry a member. */
  readonly runs: readonly ProgramRun[];
}

/** Runs a program by a group of threads; how each member ended, by rank. */
export function settleGroup({ backend = 'cpu', replicas, runs }: GroupRun): Promise<PromiseSettledResult<ProgramOutcome>[]> {
  const group = sharedGroup(replicas, runs.length);
  return Promise.allSettled(
    runs.map((run, rank) => {
      const workerData: MemberData = { backend, group, rank, run };
      return new Promise<ProgramOutcome>((resolve, reject) => {
        // tfjs prints its advice to install the native backend; that of a thread is not the test's.
        const worker = new Worker(MEMBER, { workerData, stderr: true });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
}

/** The outcomes of all members. @throws the first error of one */
export async function runGroup(group: GroupRun): Promise<ProgramOutcome[]> {
  return (await settleGroup(group)).map((settled) => {
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  });
}
