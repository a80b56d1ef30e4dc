import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ElasticMemberData, ElasticOutcome } from './elastic-member';
import { elasticRun, type ScheduledGeneration } from './elastic-schedule';

/** Threads run compiled code: `tsc -b` comes before the tests. */
const MEMBER = path.resolve(__dirname, '..', '..', 'dist', 'testing', 'elastic-member.js');

/** Runs a program by members that come and go; how each ended, by its number. */
export function runElasticGroup(
  replicas: number,
  generations: readonly ScheduledGeneration[],
  program: Omit<ElasticMemberData, 'run' | 'member'>,
): Promise<ReadonlyMap<number, ElasticOutcome>> {
  const run = elasticRun(replicas, generations);
  const members = [...new Set(generations.flatMap((generation) => generation.members))];
  const ends = members.map(async (member) => {
    const workerData: ElasticMemberData = { ...program, run, member };
    const outcome = await new Promise<ElasticOutcome>((resolve, reject) => {
      const worker = new Worker(MEMBER, { workerData, stderr: true });
      worker.once('message', resolve);
      worker.once('error', (e) => reject(new Error(`member ${member}: ${e.stack ?? e.message}`)));
    });
    return [member, outcome] as const;
  });
  return Promise.all(ends).then((outcomes) => new Map(outcomes));
}
