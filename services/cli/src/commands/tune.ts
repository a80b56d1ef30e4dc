import { Command } from 'commander';
import { ArtifactClient, TunerClient } from '@lockstep/client';
import { StudySchema, StudySpecSchema, type StudySpec, type TrainJobSpecSchema } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import { addJobOptions, checkExamples, jobSpec, moduleVersion, type JobFlags } from '../job-flags';
import type { Context, Run } from '../main';
import type { Output } from '../output';
import { duration, wholeNumber } from '../parse-flags';
import { printable } from '../terminal-text';
import { nextSteps } from '../tune/next-steps';
import { stoppingRule } from '../tune/stopping-rule';
import { checkFree, checkStudyId, studyName } from '../tune/study-id';
import { studySummary } from '../tune/study-summary';
import { concludeStudy, watchStudy } from '../tune/watch-study';

interface TuneFlags extends JobFlags {
  readonly name?: string;
  readonly trials?: number;
  readonly parallel?: number;
  readonly maxDuration?: number;
  readonly seed?: number;
  readonly stopping?: StudySpec['stopping'];
  readonly warmStart?: readonly string[];
  readonly output?: string;
  readonly detach?: true;
  readonly dryRun?: true;
  readonly requestId?: string;
}

/** A job runs the module's tunerFn: it waits for its turn among others. */
const DISCOVERY_TIMEOUT_MS = 600_000;

export const tuneCommand = (run: Run): Command =>
  addJobOptions(new Command('tune')
    .description('Search hyperparameters: each trial is a training job of the module\'s tunerFn. The best values are committed as a version of HyperParameters.')
    .argument('<module>', 'TypeScript or JavaScript file that exports tunerFn(fnArgs), or the version of a Module')
    .option('--name <study>', 'id of the study: lower-case letters, digits and "-" (default: the tuner chooses one)')
    .option('-t, --trials <n>', 'at most so many trials (default: as the module\'s tuner says)', wholeNumber(1))
    .option('-p, --parallel <n>', 'trials that run at once, each on its own workers (default 1)', wholeNumber(1))
    .option('--max-duration <duration>', 'no trial begins later than this: 90s, 10m, 2h', duration)
    .option('-s, --seed <n>', 'seed of the search and of every random number in the trials (default: the tuner\'s, and 0)', wholeNumber(0))
    .option('--stopping <rule>', 'give up trials whose best is worse than the "median" of the others so far, whose learning curve hardly leads to the best ("curve:EPOCHS"), or that fall behind at rungs ("rungs:EPOCHS"); EPOCHS: of a whole trial. Not with Hyperband and Asha, which do so themselves', stoppingRule)
    .option('--warm-start <study...>', 'begin with the trials of studies of the same objective, as far as their values lie in this space')
    .option('-o, --output <name>', 'artifact that the trials\' checkpoints become versions of; default: the module\'s name and "-trials"'), { job: 'a trial', function: 'tunerFn', of: ' of a trial' })
    .option('-d, --detach', 'start and return; `lockstep studies watch` follows the study')
    .option('--dry-run', 'only find out what the module tunes, with a job that trains nothing')
    .option('--request-id <id>', 'a second start with the same id answers with the first one\'s study')
    .addHelpText('after', `
Examples:
  lockstep tune penguins.ts --examples penguins
  lockstep tune penguins.ts --examples penguins --name wide --trials 30 --parallel 2 --workers 2
  lockstep train penguins.ts --examples penguins --hyperparameters wide-hyperparameters`)
    .action((module: string, flags: TuneFlags) => run((context) => tune(module, flags, context)));

async function tune(module: string, flags: TuneFlags, { output, cluster }: Context): Promise<ExitCode> {
  checkExamples(flags);
  if (flags.name !== undefined) checkStudyId(flags.name);
  const { tuner, artifact } = findCluster(cluster, 'tuner', 'artifact');
  const channel = openChannel(artifact);
  const client = new TunerClient(tuner);
  try {
    // A request that is repeated finds its own study there.
    if (flags.name !== undefined && flags.requestId === undefined) await checkFree(client, flags.name);
    const artifacts = new ArtifactClient(channel);
    const source = await moduleVersion(module, 'tunerFn', artifacts);
    const template = { ...await jobSpec(flags, source, flags.output ?? `${source.name}-trials`, artifacts), seed: BigInt(flags.seed ?? 0) };
    const spec = withFlags(await discover(client, template, flags, output), flags);
    if (flags.dryRun) {
      output.message(StudySpecSchema, spec);
      output.line(printable(studySummary({ spec })));
      output.line('nothing was started');
      return EXIT.OK;
    }
    const study = await client.create(spec, { ...(flags.name !== undefined && { studyId: flags.name }), ...(flags.requestId !== undefined && { requestId: flags.requestId }) });
    if (flags.detach) {
      output.message(StudySchema, study);
      output.line(study.name);
      return EXIT.OK;
    }
    const outcome = await watchStudy(client, study.name, output);
    const code = await concludeStudy(client, outcome, output);
    if (outcome.kind === 'ENDED') nextSteps(outcome.study, module, flags.examples ?? [], output);
    return code;
  } finally {
    client.close();
    channel.close();
  }
}

/** Has a job find out what the module tunes. */
async function discover(client: TunerClient, template: MessageInitShape<typeof TrainJobSpecSchema>, { requestId = '' }: TuneFlags, output: Output): Promise<StudySpec> {
  output.redraw('a job runs tunerFn once, to find out what there is to search');
  try {
    return await client.rpc.discoverStudy({ jobs: { template }, requestId: requestId === '' ? '' : `${requestId}.discovery` }, { timeoutMs: DISCOVERY_TIMEOUT_MS, waitForReady: true });
  } finally {
    output.clearLine();
  }
}

/** What the command line says over what the module says. */
const withFlags = (spec: StudySpec, { trials, parallel, seed, maxDuration, stopping, warmStart }: TuneFlags): StudySpec => ({
  ...spec,
  ...(stopping && { stopping }), ...(warmStart && { warmStartFrom: warmStart.map(studyName) }),
  ...(trials !== undefined && { maxTrials: trials }), ...(parallel !== undefined && { maxParallelTrials: parallel }), ...(seed !== undefined && { seed: BigInt(seed) }),
  ...(maxDuration !== undefined && { maxDuration: { $typeName: 'google.protobuf.Duration', seconds: BigInt(maxDuration), nanos: 0 } }),
});
