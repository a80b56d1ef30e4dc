import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ArtifactClient } from '@lockstep/client';
import { VersionSchema } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import { importExamples, type ImportSummary, type SplitShares } from '@lockstep/examples';
import { EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import type { Context, Run } from '../main';
import { makeRoomFor } from '../make-folder';
import { formatBytes, type Output } from '../output';
import { collect, wholeNumber } from '../parse-flags';

interface ImportFlags {
  readonly name?: string;
  readonly out?: string;
  readonly splits?: SplitShares;
  readonly seed: number;
  readonly require?: readonly string[];
  readonly gzip: boolean;
}

/** `train=0.8,eval=0.2` */
function splitShares(text: string): SplitShares {
  const shares = text.split(',').map((part): [string, number] => {
    const match = /^([A-Za-z0-9][\w-]*)=(\d*\.?\d+)$/.exec(part.trim());
    if (!match) throw new InvalidArgumentError('must look like train=0.8,eval=0.2.');
    return [match[1] ?? '', Number(match[2])];
  });
  return Object.fromEntries(shares);
}

export function examplesCommands(run: Run): Command {
  const examples = new Command('examples').description('Make tf.Examples of tables.');
  examples.command('import <file>').description('Rows of a CSV, TSV, JSON or JSON-lines file -> splits of tf.Examples with an inferred schema, committed as a version.')
    .option('-n, --name <name>', 'artifact that it becomes a version of (default: the file\'s name)')
    .option('-o, --out <folder>', 'write to this folder instead of committing a version')
    .option('--splits <shares>', 'which part of the rows goes where (default: train=0.8,eval=0.2)', splitShares)
    .option('--seed <n>', 'which rows go to which split', wholeNumber(0), 0)
    .option('--require <column>', 'leave out rows without a value in this column; may be repeated', collect)
    .option('--no-gzip', 'write plain TFRecords')
    .addHelpText('after', `
Examples:
  lockstep examples import penguins.json --name penguins --require 'Beak Length (mm)'
  lockstep examples import trips.csv --splits train=0.7,eval=0.2,test=0.1 --seed 3
  lockstep examples import trips.csv --out ./examples`)
    .action((file: string, flags: ImportFlags) => run((context) => importFile(file, flags, context)));
  return examples;
}

async function importFile(file: string, flags: ImportFlags, { output, cluster }: Context): Promise<ExitCode> {
  const write = (out: string): Promise<ImportSummary> => importExamples({
    from: file, out, seed: flags.seed, gzip: flags.gzip, require: flags.require ?? [], ...(flags.splits && { splits: flags.splits }),
    onProgress: ({ phase, rows, bytes, totalBytes }) => output.redraw(`${phase === 'INFER' ? 'inferring types' : 'writing'}: ${rows} rows, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`),
  });
  if (flags.out !== undefined) {
    const folder = resolve(flags.out);
    makeRoomFor(folder);
    const summary = await write(folder);
    output.clearLine();
    output.document(summary);
    describe(summary, output);
    output.line(`in ${flags.out}`);
    return EXIT.OK;
  }
  const { artifact } = findCluster(cluster, 'artifact');
  const name = flags.name ?? basename(file, extname(file)).toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-import-'));
  const channel = openChannel(artifact);
  try {
    const out = join(folder, 'examples');
    const summary = await write(out);
    const { version } = await new ArtifactClient(channel).putDirectory(out, { artifact: `artifacts/${name}`, type: 'Examples' });
    output.clearLine();
    output.message(VersionSchema, version);
    describe(summary, output);
    output.line(`version  ${version.name}`);
    output.line(`digest   ${version.digest}`);
    return EXIT.OK;
  } finally {
    channel.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(summary: ImportSummary, output: Output): void {
  const splits = Object.entries(summary.splits).map(([split, { records }]) => `${split} ${records}`).join(', ');
  output.line(`rows     ${summary.rows}: ${splits}${summary.leftOut > 0 ? ` (${summary.leftOut} left out)` : ''}`);
  output.line(`columns  ${summary.columns.filter((c) => c.type !== null).map((c) => `${c.name} ${c.type ?? ''}${c.missing > 0 ? ` (${c.missing} missing)` : ''}`).join(', ')}`);
}
