/** A member of a group as a thread: runs a program and posts its outcome. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadBackend, type TestBackend } from './load-backend';
import { runProgram, type ProgramRun } from './run-program';
import { SharedMemoryCollective, type SharedGroup } from './shared-memory-collective';

/** What a member thread is started with. */
export interface MemberData {
  readonly backend: TestBackend;
  readonly group: SharedGroup;
  readonly rank: number;
  readonly run: ProgramRun;
}

async function main(): Promise<void> {
  const { backend, group, rank, run } = workerData as MemberData;
  parentPort?.postMessage(await runProgram(await loadBackend(backend), new SharedMemoryCollective(group, rank), run));
}

void main();
