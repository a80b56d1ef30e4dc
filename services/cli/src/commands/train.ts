import { Command } from 'commander';
import { ArtifactClient, CoordinatorClient } from '@lockstep/client';
import { TrainJobSchema } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import { EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import { hyperparametersOf, hyperparametersSource, type HyperparametersSource } from '../hyperparameters';
import { addJobOptions, checkExamples, jobSpec, moduleVersion, type JobFlags } from '../job-flags';
import type { Context, Run } from '../main';
import { wholeNumber } from '../parse-flags';
import { watchToEnd } from '../watch';

interface TrainFlags extends JobFlags {
  readonly output?: string;
  readonly seed: number;
  readonly hyperparameters?: HyperparametersSource;
  readonly detach?: true;
  readonly dryRun?: true;
  readonly requestId?: string;
}

export const trainCommand = (run: Run): Command =>
  addJobOptions(new Command('train')
    .description('Train a module on examples, with one or several workers, and commit the model as a version.')
    .argument('<module>', 'TypeScript or JavaScript file that exports runFn(fnArgs), or the version of a Module')
    .option('-o, --output <name>', 'artifact that the model becomes a version of; default: the module\'s name')
    .option('-s, --seed <n>', 'seed of every random number', wholeNumber(0), 0)
    .option('--hyperparameters <json>', 'fnArgs.hyperparameters: a JSON object, @FILE, or a version of HyperParameters that `lockstep tune` has committed', hyperparametersSource), { job: 'the job', function: 'runFn', of: '' })
    .option('-d, --detach', 'submit and return; `lockstep jobs watch` follows the job')
    .option('--dry-run', 'only check: nothing is started')
    .option('--request-id <id>', 'a second submission with the same id answers with the first one\'s job')
    .addHelpText('after', `
Examples:
  lockstep train penguins.ts --examples penguins --workers 2
  lockstep train penguins.ts --examples penguins@3 --workers 1:4 --seed 7 --output birds --train-steps 200
  lockstep train penguins.ts --examples penguins --hyperparameters @best_hyperparameters.txt
  lockstep train artifacts/penguins-module/versions/2 --examples penguins --output birds --detach --json`)
    .action((module: string, flags: TrainFlags) => run((context) => train(module, flags, context)));

async function train(module: string, flags: TrainFlags, { output, cluster }: Context): Promise<ExitCode> {
  checkExamples(flags);
  const { coordinator, artifact } = findCluster(cluster, 'coordinator', 'artifact');
  const channel = openChannel(artifact);
  const artifacts = new ArtifactClient(channel);
  const client = new CoordinatorClient(coordinator);
  try {
    const source = await moduleVersion(module, 'runFn', artifacts);
    const spec = await jobSpec(flags, source, flags.output ?? `${source.name}-model`, artifacts);
    const job = await client.submit({
      ...spec, seed: BigInt(flags.seed),
      ...(flags.hyperparameters !== undefined && await hyperparametersOf(flags.hyperparameters, artifacts)),
    }, { validateOnly: flags.dryRun === true, ...(flags.requestId !== undefined && { requestId: flags.requestId }) });
    if (flags.dryRun || flags.detach) {
      output.message(TrainJobSchema, job);
      output.line(flags.dryRun ? 'the job is valid; nothing was started' : job.name);
      return EXIT.OK;
    }
    return await watchToEnd(client, job.name, output);
  } finally {
    client.close();
    channel.close();
  }
}
