import { Command } from 'commander';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { CoordinatorClient } from '@lockstep/client';
import { JobState, TrainJobSchema, type TrainJob } from '@lockstep/contract';
import { EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import { formatAwaited, formatMetrics, stateName } from '../job-view';
import { madeBy } from '../made-by';
import type { Context, Run } from '../main';
import { wholeNumber } from '../parse-flags';
import { watchToEnd } from '../watch';
import { verifyJob } from './verify';

/** `jobs/x` or just `x`. */
const jobName = (text: string): string => (text.startsWith('jobs/') ? text : `jobs/${text}`);

const withClient = (run: Run, action: (client: CoordinatorClient, context: Context) => Promise<ExitCode>): Promise<void> =>
  run(async (context) => {
    const client = new CoordinatorClient(findCluster(context.cluster, 'coordinator').coordinator);
    try {
      return await action(client, context);
    } finally {
      client.close();
    }
  });

export function jobCommands(run: Run): Command {
  const jobs = new Command('jobs').description('List, show, watch, verify and cancel jobs.').addHelpText('after', `
Examples:
  lockstep jobs list
  lockstep jobs watch jobs/4kd02
  lockstep jobs verify 4kd02
  lockstep jobs cancel 4kd02`);
  jobs.command('list', { isDefault: true }).description('Jobs, newest first.')
    .option('-n, --limit <n>', 'at most so many', wholeNumber(1), 20)
    .action(({ limit }: { limit: number }) => withClient(run, async (client, { output }) => {
      const rows: string[][] = [];
      for await (const job of client.list(Math.min(limit, 1000))) {
        if (rows.length >= limit) break;
        output.message(TrainJobSchema, job);
        rows.push([job.name, stateName(job.state).toLowerCase(), createdAt(job), String(job.committedSteps), formatMetrics(job.metrics), job.result?.model ?? job.error?.reason ?? '']);
      }
      output.table(['job', 'state', 'created', 'steps', 'metrics', 'result'], rows);
      return EXIT.OK;
    }));
  jobs.command('show <job>').description('One job, whole.')
    .action((name: string) => withClient(run, async (client, { output }) => {
      const job = await client.get(jobName(name));
      output.message(TrainJobSchema, job);
      describe(job, (label, value) => output.line(`${label.padEnd(11)}${value}`));
      return EXIT.OK;
    }));
  jobs.command('watch <job>').description('Follow a job from its first event to its end.')
    .option('--after <sequence>', 'leave out events up to this sequence number', wholeNumber(0), 0)
    .action((name: string, { after }: { after: number }) => withClient(run, (client, { output }) => watchToEnd(client, jobName(name), output, BigInt(after))));
  jobs.command('verify <job>').description('Check that the committed steps consumed each record as often as planned.')
    .action((name: string) => withClient(run, (client, { output }) => verifyJob(client, jobName(name), output)));
  jobs.command('cancel <job>').description('End a job that has not ended.')
    .action((name: string) => withClient(run, async (client, { output }) => {
      const job = await client.cancel(jobName(name));
      output.message(TrainJobSchema, job);
      output.line(`${job.name} is ${stateName(job.state).toLowerCase()}`);
      return EXIT.OK;
    }));
  return jobs;
}

const createdAt = (job: TrainJob): string => (job.createTime ? new Date(timestampMs(job.createTime)).toISOString().replace('T', ' ').slice(0, 19) : '');

function describe(job: TrainJob, say: (label: string, value: string) => void): void {
  const { spec } = job;
  say('job', job.name);
  say('state', stateName(job.state).toLowerCase());
  say('created', createdAt(job));
  if (spec) {
    say('module', `${spec.module} (${spec.function})`);
    say('examples', spec.examples.join(', '));
    say('replicas', `${spec.replicas} logical, on ${spec.workers?.min ?? 1} to ${spec.workers?.max ?? 1} workers`);
    say('seed', String(spec.seed));
  }
  for (const m of job.generation?.members ?? []) say(m.rank === 0 ? 'members' : '', `rank ${m.rank}: ${m.worker}, replicas [${m.replicas?.from ?? 0}, ${m.replicas?.to ?? 0})`);
  say('steps', String(job.committedSteps));
  for (const awaited of job.awaited) say('waits', formatAwaited(awaited));
  if (job.ledger) say('records', `${job.ledger.records} consumed`);
  if (job.metrics.length > 0) say('metrics', formatMetrics(job.metrics));
  if (job.state === JobState.SUCCEEDED && job.result) {
    for (const { what, name } of madeBy(job.result)) say(what, name);
    say('state hash', job.result.stateDigest);
    if (job.result.modelRun !== '') say('model run', job.result.modelRun);
  }
  if (job.error) {
    say('error', `${job.error.reason}: ${job.error.message}`);
    if (job.error.stack !== '') say('stack', job.error.stack);
  }
}
