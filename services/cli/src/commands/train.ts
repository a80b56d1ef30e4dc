import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { ArtifactClient, CoordinatorClient, fileOfBytes, toShardPolicy } from '@lockstep/client';
import { Numerics, TrainJobSchema } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import { SHARD_POLICIES, type ShardPolicy } from '@lockstep/sharding';
import { bundleModule } from '../bundle-module';
import { CliError, EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import type { Context, Run } from '../main';
import { collect, duration, jsonObject, wholeNumber, workerCount } from '../parse-flags';
import { resolveVersion } from '../resolve-version';
import { watchToEnd } from '../watch';

interface TrainFlags {
  readonly examples?: readonly string[];
  readonly output?: string;
  readonly workers: { readonly min: number; readonly max: number };
  readonly replicas?: number;
  readonly seed: number;
  readonly trainSteps?: number;
  readonly evalSteps?: number;
  readonly trainSplit?: readonly string[];
  readonly evalSplit?: readonly string[];
  readonly schema?: string;
  readonly function?: string;
  readonly hyperparameters?: string;
  readonly config?: string;
  readonly mathThreads?: number;
  readonly maxRuntime?: number;
  readonly checkpointSteps?: number;
  readonly checkpointEvery?: number;
  readonly maxRestarts?: number;
  readonly stepTimeout?: number;
  readonly shardPolicy?: ShardPolicy;
  readonly relaxed?: true;
  readonly detach?: true;
  readonly dryRun?: true;
  readonly requestId?: string;
}

export const trainCommand = (run: Run): Command =>
  new Command('train')
    .description('Train a module on examples, with one or several workers, and commit the model as a version.')
    .argument('<module>', 'TypeScript or JavaScript file that exports runFn(fnArgs), or the version of a Module')
    .option('-e, --examples <version>', 'required: examples to train on; NAME, NAME@VERSION or artifacts/NAME/versions/N; may be repeated', collect)
    .option('-o, --output <name>', 'artifact that the model becomes a version of; default: the module\'s name')
    .addOption(new Option('-w, --workers <n>', 'number of workers, or MIN:MAX').argParser(workerCount).default({ min: 1, max: 1 }, '1'))
    .option('-r, --replicas <v>', 'logical replicas V: the bytes depend on it, never on the number of workers (default 4)', wholeNumber(1))
    .option('-s, --seed <n>', 'seed of every random number', wholeNumber(0), 0)
    .option('--train-steps <n>', 'fnArgs.trainSteps', wholeNumber(1))
    .option('--eval-steps <n>', 'fnArgs.evalSteps', wholeNumber(1))
    .option('--train-split <name>', 'split to train on (default train); may be repeated', collect)
    .option('--eval-split <name>', 'split to evaluate on (default eval); may be repeated', collect)
    .option('--schema <version>', 'version of a Schema (default: schema.pbtxt of the examples)')
    .option('--function <name>', 'exported function to run (default runFn)')
    .option('--hyperparameters <json>', 'JSON object, or @FILE: fnArgs.hyperparameters', jsonObject)
    .option('--config <json>', 'JSON object, or @FILE: fnArgs.customConfig', jsonObject)
    .option('--math-threads <n>', 'threads of the math library on each worker: the bytes depend on it (default 1)', wholeNumber(1))
    .option('--max-runtime <duration>', 'fail the job when it runs longer: 90s, 10m, 2h', duration)
    .option('--checkpoint-steps <n>', 'write a checkpoint every so many steps', wholeNumber(1))
    .option('--checkpoint-every <duration>', 'write a checkpoint every so often (default 60s, unless --checkpoint-steps is given)', duration)
    .option('--max-restarts <n>', 'how often the job starts again from its last checkpoint after it lost all workers (default 3)', wholeNumber(0))
    .option('--step-timeout <duration>', 'give up a worker that takes longer for a step (default 5m)', duration)
    .addOption(new Option('--shard-policy <policy>', 'how datasets deal their records to the logical replicas, unless they say otherwise: the bytes depend on it (default DATA)').choices(SHARD_POLICIES))
    .option('--relaxed', 'admit workers whose numerics differ: the promise of equal bytes is off')
    .option('-d, --detach', 'submit and return; `lockstep jobs watch` follows the job')
    .option('--dry-run', 'only check: nothing is started')
    .option('--request-id <id>', 'a second submission with the same id answers with the first one\'s job')
    .addHelpText('after', `
Examples:
  lockstep train penguins.ts --examples penguins --workers 2
  lockstep train penguins.ts --examples penguins@3 --workers 1:4 --seed 7 --output birds --train-steps 200
  lockstep train artifacts/penguins-module/versions/2 --examples penguins --output birds --detach --json`)
    .action((module: string, flags: TrainFlags) => run((context) => train(module, flags, context)));

async function train(module: string, flags: TrainFlags, { output, cluster }: Context): Promise<ExitCode> {
  const { examples: wanted = [] } = flags;
  if (wanted.length === 0) throw new CliError('--examples is required', 'Name what to train on: `--examples penguins`. `lockstep artifacts list --type Examples` lists what there is.', EXIT.USAGE);
  const { coordinator, artifact } = findCluster(cluster);
  const channel = openChannel(artifact);
  const artifacts = new ArtifactClient(channel);
  const client = new CoordinatorClient(coordinator);
  try {
    const source = await moduleVersion(module, artifacts);
    const examples = await Promise.all(wanted.map((e) => resolveVersion(artifacts, e, 'Examples')));
    const job = await client.submit({
      module: source.version, examples, output: `artifacts/${flags.output ?? source.name}`,
      workers: flags.workers, seed: BigInt(flags.seed),
      trainArgs: { splits: [...(flags.trainSplit ?? [])], numSteps: flags.trainSteps ?? 0 }, evalArgs: { splits: [...(flags.evalSplit ?? [])], numSteps: flags.evalSteps ?? 0 },
      numerics: flags.relaxed ? Numerics.RELAXED : Numerics.STRICT,
      ...(flags.replicas !== undefined && { replicas: flags.replicas }),
      ...(flags.shardPolicy !== undefined && { shardPolicy: toShardPolicy(flags.shardPolicy) }),
      ...(flags.schema !== undefined && { schema: await resolveVersion(artifacts, flags.schema, 'Schema') }),
      ...(flags.function !== undefined && { function: flags.function }),
      ...(flags.hyperparameters !== undefined && { hyperparametersJson: flags.hyperparameters }),
      ...(flags.config !== undefined && { customConfigJson: flags.config }),
      ...(flags.mathThreads !== undefined && { mathThreads: flags.mathThreads }),
      ...((flags.checkpointSteps !== undefined || flags.checkpointEvery !== undefined) && {
        checkpoint: { everySteps: flags.checkpointSteps ?? 0, ...(flags.checkpointEvery !== undefined && { interval: { seconds: BigInt(flags.checkpointEvery) } }) },
      }),
      ...(flags.maxRestarts !== undefined && { maxRestarts: flags.maxRestarts }),
      ...(flags.stepTimeout !== undefined && { stepTimeout: { seconds: BigInt(flags.stepTimeout) } }),
      ...(flags.maxRuntime !== undefined && { maxRuntime: { seconds: BigInt(flags.maxRuntime) } }),
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

/** A file is bundled and committed; a version is taken as it is. */
async function moduleVersion(module: string, artifacts: ArtifactClient): Promise<{ readonly version: string; readonly name: string }> {
  const existing = /^artifacts\/([^/]+)\/versions\/\d+$/.exec(module);
  if (existing) return { version: module, name: (existing[1] ?? 'module').replace(/-module$/, '-model') };
  if (!/\.[cm]?[jt]s$/.test(module)) throw new CliError(`${module} is neither a .ts or .js file nor the version of a Module`, 'Give a file that exports runFn, or artifacts/NAME/versions/N.', EXIT.USAGE);
  await readFile(module).catch(() => { throw new CliError(`${module} does not exist`, 'Give the path of the file that exports runFn.'); });
  const { name, code } = await bundleModule(module);
  const { version } = await artifacts.putFiles([fileOfBytes('module.js', code)], { artifact: `artifacts/${name}-module`, type: 'Module' });
  return { version: version.name, name: `${name}-model` };
}
