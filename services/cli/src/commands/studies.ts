import { resolve } from 'node:path';
import { Command } from 'commander';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { toHistory, trialIdsOf, TunerClient } from '@lockstep/client';
import { ImportTrialsResponseSchema, StudySchema, TrialSchema, type Study, type Trial } from '@lockstep/contract';
import { BEST_HYPERPARAMETERS_FILE, bestHyperparameters, TUNER_RESULTS_FILE, tunerResults } from '@lockstep/search';
import { CliError, EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import { confirm } from '../confirm';
import type { Context, Run } from '../main';
import type { Output } from '../output';
import { duration, jsonObject, wholeNumber } from '../parse-flags';
import { printable } from '../terminal-text';
import { studyCsv } from '../tune/csv';
import { describeStudy } from '../tune/describe-study';
import { readKerasTunerFolder } from '../tune/keras-tuner-folder';
import { withCurves } from '../tune/measured-trials';
import { studyReport } from '../tune/report/report';
import { showBest } from '../tune/show-best';
import { showExtended } from '../tune/show-extended';
import { studyName } from '../tune/study-id';
import { studyState, studySummary } from '../tune/study-summary';
import { typedValues } from '../tune/typed-values';
import { concludeStudy, watchStudy } from '../tune/watch-study';
import { writeTo } from '../write-to';

const withClient = (run: Run, action: (client: TunerClient, context: Context) => Promise<ExitCode>): Promise<void> =>
  run(async (context) => {
    const client = new TunerClient(findCluster(context.cluster, 'tuner').tuner);
    try {
      return await action(client, context);
    } finally {
      client.close();
    }
  });

/** What a study can be exported as, and the name of the file. */
const EXPORTS = { csv: 'trials.csv', hyperparameters: BEST_HYPERPARAMETERS_FILE, results: TUNER_RESULTS_FILE } as const;
type ExportFormat = keyof typeof EXPORTS;

export function studyCommands(run: Run): Command {
  const studies = new Command('studies').description('List, show, watch, extend, export and end studies.').addHelpText('after', `
Examples:
  lockstep studies list
  lockstep studies best 4kd02 --count 5
  lockstep studies export csv 4kd02 --to trials.csv
  lockstep studies report 4kd02 --to report.html
  lockstep studies enqueue 4kd02 '{"units": 64}'
  lockstep studies extend 4kd02 --trials 40`);
  studies.command('list', { isDefault: true }).description('Studies, newest first.')
    .option('-n, --limit <n>', 'at most so many', wholeNumber(1), 20)
    .action(({ limit }: { limit: number }) => withClient(run, async (client, { output }) => {
      const rows: string[][] = [];
      for await (const study of client.list(Math.min(limit, 1000))) {
        if (rows.length >= limit) break;
        output.message(StudySchema, study);
        const { trials } = study;
        rows.push([study.name, studyState(study), createdAt(study), `${trials?.succeeded ?? 0} of ${ended(study)}`, String(trials?.running ?? 0), printable(studySummary(study))]);
      }
      output.table(['study', 'state', 'created', 'succeeded', 'running', 'search'], rows);
      return EXIT.OK;
    }));
  studies.command('show <study>').description('One study: what is searched, how, and how far it is.')
    .option('--trials', 'its trials too')
    .action((name: string, { trials = false }: { trials?: boolean }) => withClient(run, async (client, { output }) => {
      const study = await client.get(studyName(name));
      const all = await allTrials(client, study);
      output.message(StudySchema, study);
      if (trials) for (const trial of all) output.message(TrialSchema, trial);
      if (!output.json) describeStudy(study, all, trials, output);
      return EXIT.OK;
    }));
  studies.command('best <study>').description('The best trials, best first; with several objectives those that no other beats.')
    .option('-n, --count <n>', 'at most so many (default 1)', wholeNumber(1))
    .action((name: string, { count = 0 }: { count?: number }) => withClient(run, async (client, { output }) => {
      const study = await client.get(studyName(name));
      const best = await client.best(study.name, count);
      if (best.length === 0) throw noneSucceeded(study);
      showBest(study, best, output);
      return EXIT.OK;
    }));
  studies.command('watch <study>').description('Follow a study from its first event to its end.')
    .action((name: string) => withClient(run, async (client, { output }) => concludeStudy(client, await watchStudy(client, studyName(name), output), output)));
  studies.command('stop <study>').description('No more trials; those that run are cancelled.')
    .action((name: string) => withClient(run, async (client, { output }) => showState(await client.stop(studyName(name)), output)));
  studies.command('delete <study>').description('Remove a study with its trials. Versions that were committed stay.')
    .option('-y, --yes', 'do not ask')
    .action((text: string, { yes = false }: { yes?: boolean }) => withClient(run, async (client, { output }) => {
      const { name } = await client.get(studyName(text));
      if (!yes && !await confirm(`Delete ${name} with its trials?`, output)) throw new CliError(`${name} was not deleted`, 'Answer "y", or give --yes.');
      await client.delete(name);
      output.document({ deleted: name });
      output.line(`deleted ${name}`);
      return EXIT.OK;
    }));
  studies.command('extend <study>').description('Give a study more to do: what shall be, not by how much it grows. One that has ended goes on.')
    .option('--trials <n>', 'trials, all told', wholeNumber(1))
    .option('--max-epochs <n>', 'epochs of the longest trials of Hyperband or ASHA', wholeNumber(1))
    .option('--iterations <n>', 'sweeps of Hyperband', wholeNumber(1))
    .option('--total-epochs <n>', 'epochs of all trials together', wholeNumber(1))
    .option('--max-duration <duration>', 'from its creation: 90s, 10m, 2h', duration)
    .action((name: string, flags: { trials?: number; maxEpochs?: number; iterations?: number; totalEpochs?: number; maxDuration?: number }) => withClient(run, async (client, { output }) => {
      if (Object.keys(flags).length === 0) throw new CliError('nothing says what the study shall have more of', 'Give --trials, --max-epochs, --iterations, --total-epochs or --max-duration.', EXIT.USAGE);
      const { trials, maxEpochs, iterations, totalEpochs, maxDuration } = flags;
      return showExtended(await client.extend(studyName(name), {
        ...(trials !== undefined && { maxTrials: trials }), ...(maxEpochs !== undefined && { maxEpochs }), ...(iterations !== undefined && { iterations }),
        ...(totalEpochs !== undefined && { maxTotalEpochs: BigInt(totalEpochs) }), ...(maxDuration !== undefined && { maxDuration: { seconds: BigInt(maxDuration) } }),
      }), output);
    }));
  studies.command('enqueue <study> <values>').description('Have values tried first: a JSON object, or @FILE. Parameters that are left out have their defaults.')
    .action((name: string, values: string) => withClient(run, async (client, { output }) => {
      const study = await client.get(studyName(name));
      const enqueued = await client.enqueue(study.name, typedValues(study.spec, usage(() => jsonObject(values))));
      output.document({ study: study.name, enqueued });
      output.line(`${enqueued} ${enqueued === 1 ? 'waits' : 'wait'} to be tried`);
      if (study.state.case !== 'active') output.remark(`${study.name} is ${studyState(study)}: \`lockstep studies extend\` gives it room to try them`);
      return EXIT.OK;
    }));
  studies.command('import <study> <folder>').description('Take up the trials of a KerasTuner project: the folder with oracle.json and trial_*/trial.json.')
    .action((name: string, folder: string) => withClient(run, async (client, { output }) => {
      const answer = await client.importTrials(studyName(name), { case: 'kerasTuner', value: await readKerasTunerFolder(resolve(folder)) });
      output.message(ImportTrialsResponseSchema, answer);
      for (const skipped of answer.skipped) output.line(`left out  ${printable(skipped)}`);
      output.line(`${answer.trials.length} trials were taken up`);
      return EXIT.OK;
    }));
  studies.command('export <format> <study>').description(`Write a study's trials: ${Object.entries(EXPORTS).map(([format, file]) => `${format} (${file})`).join(', ')}.`)
    .option('--to <file>', 'file to write (default: standard output)')
    .action((format: string, name: string, { to }: { to?: string }) => withClient(run, async (client, { output }) => {
      if (!isExportFormat(format)) throw new CliError(`"${format}" is no format`, `Formats are ${Object.keys(EXPORTS).join(', ')}.`, EXIT.USAGE);
      const study = await client.get(studyName(name));
      return writeTo(to, exported(format, study, await allTrials(client, study)), output);
    }));
  studies.command('report <study>').description('Write a page about a study: importance, parallel coordinates, learning curves, trials. It needs no network and no scripts.')
    .requiredOption('--to <file>', 'HTML file to write')
    .action((name: string, { to }: { to: string }) => withClient(run, async (client, { output }) => {
      const study = await client.get(studyName(name));
      return writeTo(to, studyReport(study, await withCurves(client, study, await allTrials(client, study))), output);
    }));
  return studies;
}

const createdAt = ({ createTime }: Study): string => (createTime ? new Date(timestampMs(createTime)).toISOString().replace('T', ' ').slice(0, 19) : '');

const ended = ({ trials }: Study): number => (trials ? trials.succeeded + trials.infeasible + trials.failed + trials.cancelled : 0);

function showState(study: Study, output: Output): ExitCode {
  output.message(StudySchema, study);
  output.line(`${study.name} is ${studyState(study)}`);
  return EXIT.OK;
}

const noneSucceeded = ({ name }: Study): CliError => new CliError(`no trial of ${name} has succeeded yet`, 'Only trials that succeeded can be best; `lockstep studies show` with --trials says what became of them.');

const isExportFormat = (text: string): text is ExportFormat => Object.hasOwn(EXPORTS, text);

function exported(format: ExportFormat, study: Study, trials: readonly Trial[]): string {
  const idOf = trialIdsOf(study.spec);
  switch (format) {
    case 'csv': return studyCsv(study, trials);
    case 'results': return tunerResults(toHistory(study, trials), idOf);
    case 'hyperparameters': {
      const text = bestHyperparameters(toHistory(study, trials), idOf);
      if (text === undefined) throw noneSucceeded(study);
      return text;
    }
  }
}

async function allTrials(client: TunerClient, { name }: Study): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  for await (const trial of client.trials(name)) trials.push(trial);
  return trials;
}

/** An argument that cannot be read is a wrong command line. */
function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (e) {
    throw new CliError(`<values> ${e instanceof Error ? e.message : String(e)}`, 'For example: \'{"units": 64}\'', EXIT.USAGE);
  }
}
