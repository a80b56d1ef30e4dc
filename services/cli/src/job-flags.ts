/** Flags that say what a job runs: of `train`, and of the trials of `tune`. */
import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { fileOfBytes, toShardPolicy, type ArtifactClient } from '@lockstep/client';
import { Numerics, type TrainJobSpecSchema } from '@lockstep/contract';
import { SHARD_POLICIES, type ShardPolicy } from '@lockstep/sharding';
import { bundleModule } from './bundle-module';
import { CliError, EXIT } from './cli-error';
import { collect, duration, jsonObject, wholeNumber, workerCount } from './parse-flags';
import { resolveVersion } from './resolve-version';

export interface JobFlags {
  readonly examples?: readonly string[];
  readonly workers: { readonly min: number; readonly max: number };
  readonly replicas?: number;
  readonly trainSteps?: number;
  readonly evalSteps?: number;
  readonly trainSplit?: readonly string[];
  readonly evalSplit?: readonly string[];
  readonly schema?: string;
  readonly function?: string;
  readonly config?: string;
  readonly mathThreads?: number;
  readonly maxRuntime?: number;
  readonly checkpointSteps?: number;
  readonly checkpointEvery?: number;
  readonly maxRestarts?: number;
  readonly stepTimeout?: number;
  readonly shardPolicy?: ShardPolicy;
  readonly relaxed?: true;
}

/** What the flags are about, in the help of a command. */
export interface JobWording {
  /** e.g. `the job` */
  readonly job: string;
  /** The function that runs when none is named. */
  readonly function: string;
  /** What the workers are counted for, e.g. ` of a trial`; empty for a single job. */
  readonly of: string;
}

/** Adds the flags to a command. */
export const addJobOptions = (command: Command, { job, function: name, of }: JobWording): Command => command
  .option('-e, --examples <version>', 'required: examples to train on; NAME, NAME@VERSION or artifacts/NAME/versions/N; may be repeated', collect)
  .addOption(new Option('-w, --workers <n>', `number of workers${of}, or MIN:MAX`).argParser(workerCount).default({ min: 1, max: 1 }, '1'))
  .option('-r, --replicas <v>', 'logical replicas V: the bytes depend on it, never on the number of workers (default 4)', wholeNumber(1))
  .option('--train-steps <n>', 'fnArgs.trainSteps', wholeNumber(1))
  .option('--eval-steps <n>', 'fnArgs.evalSteps', wholeNumber(1))
  .option('--train-split <name>', 'split to train on (default train); may be repeated', collect)
  .option('--eval-split <name>', 'split to evaluate on (default eval); may be repeated', collect)
  .option('--schema <version>', 'version of a Schema (default: schema.pbtxt of the examples)')
  .option('--function <name>', `exported function to run (default ${name})`)
  .option('--config <json>', 'JSON object, or @FILE: fnArgs.customConfig', jsonObject)
  .option('--math-threads <n>', 'threads of the math library on each worker: the bytes depend on it (default 1)', wholeNumber(1))
  .option('--max-runtime <duration>', `fail ${job} when it runs longer: 90s, 10m, 2h`, duration)
  .option('--checkpoint-steps <n>', 'write a checkpoint every so many steps', wholeNumber(1))
  .option('--checkpoint-every <duration>', 'write a checkpoint every so often (default 60s, unless --checkpoint-steps is given)', duration)
  .option('--max-restarts <n>', `how often ${job} starts again from its last checkpoint after it lost all workers (default 3)`, wholeNumber(0))
  .option('--step-timeout <duration>', 'give up a worker that takes longer for a step (default 5m)', duration)
  .addOption(new Option('--shard-policy <policy>', 'how datasets deal their records to the logical replicas, unless they say otherwise: the bytes depend on it (default DATA)').choices(SHARD_POLICIES))
  .option('--relaxed', 'admit workers whose numerics differ: the promise of equal bytes is off');

/** A module that is committed. */
export interface ModuleVersion {
  readonly version: string;
  /** Its name, for what is made with it. */
  readonly name: string;
}

/** The spec of a job, as far as the flags say it; its examples and schema are looked up. @param output name of the artifact that it makes a version of */
export async function jobSpec(flags: JobFlags, { version: module }: ModuleVersion, output: string, artifacts: ArtifactClient): Promise<MessageInitShape<typeof TrainJobSpecSchema>> {
  const examples = await Promise.all(checkExamples(flags).map((e) => resolveVersion(artifacts, e, 'Examples')));
  return {
    module, examples, output: `artifacts/${output}`, workers: flags.workers,
    trainArgs: { splits: [...(flags.trainSplit ?? [])], numSteps: flags.trainSteps ?? 0 }, evalArgs: { splits: [...(flags.evalSplit ?? [])], numSteps: flags.evalSteps ?? 0 },
    numerics: flags.relaxed ? Numerics.RELAXED : Numerics.STRICT,
    ...(flags.replicas !== undefined && { replicas: flags.replicas }),
    ...(flags.shardPolicy !== undefined && { shardPolicy: toShardPolicy(flags.shardPolicy) }),
    ...(flags.schema !== undefined && { schema: await resolveVersion(artifacts, flags.schema, 'Schema') }),
    ...(flags.function !== undefined && { function: flags.function }),
    ...(flags.config !== undefined && { customConfigJson: flags.config }),
    ...(flags.mathThreads !== undefined && { mathThreads: flags.mathThreads }),
    ...((flags.checkpointSteps !== undefined || flags.checkpointEvery !== undefined) && {
      checkpoint: { everySteps: flags.checkpointSteps ?? 0, ...(flags.checkpointEvery !== undefined && { interval: { seconds: BigInt(flags.checkpointEvery) } }) },
    }),
    ...(flags.maxRestarts !== undefined && { maxRestarts: flags.maxRestarts }),
    ...(flags.stepTimeout !== undefined && { stepTimeout: { seconds: BigInt(flags.stepTimeout) } }),
    ...(flags.maxRuntime !== undefined && { maxRuntime: { seconds: BigInt(flags.maxRuntime) } }),
  };
}

/** The examples that the flags name. @throws CliError (USAGE) when they name none */
export function checkExamples({ examples = [] }: JobFlags): readonly string[] {
  if (examples.length === 0) throw new CliError('--examples is required', 'Name what to train on: `--examples penguins`. `lockstep artifacts list --type Examples` lists what there is.', EXIT.USAGE);
  return examples;
}

/**
 * A file is bundled and committed; a version is taken as it is.
 *
 * @param exported the function that the file should export, for messages
 */
export async function moduleVersion(module: string, exported: string, artifacts: ArtifactClient): Promise<ModuleVersion> {
  const existing = /^artifacts\/([^/]+)\/versions\/\d+$/.exec(module);
  if (existing) return { version: module, name: (existing[1] ?? 'module').replace(/-module$/, '') };
  if (!/\.[cm]?[jt]s$/.test(module)) throw new CliError(`${module} is neither a .ts or .js file nor the version of a Module`, `Give a file that exports ${exported}, or artifacts/NAME/versions/N.`, EXIT.USAGE);
  await readFile(module).catch(() => { throw new CliError(`${module} does not exist`, `Give the path of the file that exports ${exported}.`); });
  const { name, code } = await bundleModule(module);
  const { version } = await artifacts.putFiles([fileOfBytes('module.js', code)], { artifact: `artifacts/${name}-module`, type: 'Module' });
  return { version: version.name, name };
}
