import type { CoordinatorClient } from '@lockstep/client';
import { JobState, TrainJobSchema } from '@lockstep/contract';
import { EXIT, type ExitCode } from './cli-error';
import { JobView } from './job-view';
import type { Output } from './output';

/** Follows a job to its end and says what it means. Ctrl-C stops following; the job goes on. */
export async function watchToEnd(client: CoordinatorClient, name: string, output: Output, after = 0n): Promise<ExitCode> {
  const leave = new AbortController();
  const onSignal = (): void => leave.abort();
  process.once('SIGINT', onSignal);
  try {
    const view = new JobView(output, () => performance.now());
    for await (const event of client.watch(name, after, leave.signal)) view.show(event);
    if (leave.signal.aborted) {
      output.clearLine();
      output.remark(`${name} goes on: \`lockstep jobs watch ${name}\` follows it again, \`lockstep jobs cancel ${name}\` ends it.`);
      return EXIT.INTERRUPTED;
    }
    const job = await client.get(name);
    output.message(TrainJobSchema, job);
    view.conclude(job);
    return job.state === JobState.SUCCEEDED ? EXIT.OK : EXIT.FAILED;
  } finally {
    process.off('SIGINT', onSignal);
  }
}
