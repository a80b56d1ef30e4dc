import { resolve } from 'node:path';
import { Command } from 'commander';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ArtifactClient } from '@lockstep/client';
import { ArtifactSchema, RunGcResponseSchema, VersionSchema, type BlobTotal } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import { CliError, EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import { confirm } from '../confirm';
import type { Context, Run } from '../main';
import { makeRoomFor } from '../make-folder';
import { formatBytes, formatSeconds } from '../output';
import { resolveVersion } from '../resolve-version';

const withClient = (run: Run, action: (client: ArtifactClient, context: Context) => Promise<ExitCode>): Promise<void> =>
  run(async (context) => {
    const channel = openChannel(findCluster(context.cluster, 'artifact').artifact);
    try {
      return await action(new ArtifactClient(channel), context);
    } finally {
      channel.close();
    }
  });

const TYPES = 'Examples, Schema, Module, Model, HyperParameters, ...';

const formatTotal = (total: BlobTotal | undefined): string => `${total?.blobs ?? 0n} ${total?.blobs === 1n ? 'blob' : 'blobs'}, ${formatBytes(Number(total?.sizeBytes ?? 0n))}`;

export function artifactCommands(run: Run): Command {
  const artifacts = new Command('artifacts').description('List, show, fetch, add and delete versions.').addHelpText('after', `
A version is named NAME (its newest), NAME@3 or artifacts/NAME/versions/3.

Examples:
  lockstep artifacts list
  lockstep artifacts show penguins-model
  lockstep artifacts get penguins-model@2 --to ./model
  lockstep artifacts put ./examples --name taxi --type Examples
  lockstep artifacts delete penguins-model@2 --reason 'trained on the wrong split'
  lockstep artifacts gc --dry-run`);
  artifacts.command('list', { isDefault: true }).description('Artifacts, by name.')
    .option('-t, --type <type>', `only of this type: ${TYPES}`)
    .action(({ type }: { type?: string }) => withClient(run, async (client, { output }) => {
      const rows: string[][] = [];
      for await (const artifact of client.listArtifacts(type === undefined ? {} : { type })) {
        output.message(ArtifactSchema, artifact);
        rows.push([artifact.name.replace('artifacts/', ''), artifact.type, String(artifact.latestVersion), artifact.createTime ? new Date(timestampMs(artifact.createTime)).toISOString().slice(0, 19).replace('T', ' ') : '']);
      }
      output.table(['name', 'type', 'newest', 'created'], rows);
      return EXIT.OK;
    }));
  artifacts.command('show <version>').description('One version: its digest and its files.')
    .action((text: string) => withClient(run, async (client, { output }) => {
      const version = await client.getVersion(await resolveVersion(client, text));
      output.message(VersionSchema, version);
      output.line(`version  ${version.name}`);
      output.line(`type     ${version.type}`);
      output.line(`digest   ${version.digest}`);
      if (version.execution !== '') output.line(`made by  ${version.execution}`);
      for (const label of version.labels) output.line(`label    ${label.key} = ${label.value}`);
      output.line();
      output.table(['file', 'size'], version.entries.map((e) => [e.path, formatBytes(Number(e.sizeBytes))]));
      return EXIT.OK;
    }));
  artifacts.command('get <version>').description('Fetch a version into a folder, verified, whole or not at all.')
    .requiredOption('--to <folder>', 'folder to make; it must not exist, or be empty')
    .action((text: string, { to }: { to: string }) => withClient(run, async (client, { output }) => {
      const folder = resolve(to);
      makeRoomFor(folder);
      const name = await resolveVersion(client, text);
      const version = await client.downloadTo(name, folder, { onProgress: ({ phase, doneBytes, totalBytes }) => output.redraw(`${phase.toLowerCase()}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`) });
      output.clearLine();
      output.message(VersionSchema, version);
      output.line(`${name} (${version.entries.length} files, ${formatBytes(Number(version.sizeBytes))}) is in ${to}`);
      return EXIT.OK;
    }));
  artifacts.command('put <folder>').description('Commit the files of a folder as a version.')
    .requiredOption('-n, --name <name>', 'artifact that it becomes a version of')
    .requiredOption('-t, --type <type>', `type of the artifact: ${TYPES}`)
    .action((folder: string, { name, type }: { name: string; type: string }) => withClient(run, async (client, { output }) => {
      const { version } = await client.putDirectory(resolve(folder), { artifact: `artifacts/${name}`, type, onProgress: ({ phase, doneBytes, totalBytes }) => output.redraw(`${phase.toLowerCase()}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`) });
      output.clearLine();
      output.message(VersionSchema, version);
      output.line(`${version.name}  ${version.digest}`);
      return EXIT.OK;
    }));
  artifacts.command('delete <version>').description('Delete a version. Its number is never used again; what was made of it stays, and so does the record of what it was.')
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'why, for whoever looks for it later')
    .addHelpText('after', `
Its bytes go with \`lockstep artifacts gc\`, or by themselves, when no other version has them and a grace is over. A version that a running execution
reads is not deleted.

Examples:
  lockstep artifacts delete penguins-model@2
  lockstep artifacts delete artifacts/penguins-model/versions/2 --yes --reason 'trained on the wrong split' --json`)
    .action((text: string, { yes = false, reason = '' }: { yes?: boolean; reason?: string }) => withClient(run, async (client, { output }) => {
      const version = await client.getVersion(await resolveVersion(client, text));
      const what = `${version.name} (${version.type}, ${version.entries.length} ${version.entries.length === 1 ? 'file' : 'files'}, ${formatBytes(Number(version.sizeBytes))})`;
      if (!yes && !await confirm(`Delete ${what}?`, output)) throw new CliError(`${version.name} was not deleted`, 'Answer "y", or give --yes.');
      const deleted = await client.deleteVersion(version.name, reason);
      output.message(VersionSchema, deleted);
      output.line(`deleted ${what}`);
      return EXIT.OK;
    }));
  artifacts.command('gc').description('Remove bytes that no version has any more and whose grace is over; the service does so by itself too, as a rule every hour.')
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', `
Examples:
  lockstep artifacts gc --dry-run
  lockstep artifacts gc --json`)
    .action(({ dryRun = false }: { dryRun?: boolean }) => withClient(run, async (client, { output }) => {
      const report = await client.runGc({ validateOnly: dryRun });
      output.message(RunGcResponseSchema, report);
      output.line(`versions   ${report.versions}, and ${report.deletedVersions} deleted`);
      output.line(`kept       ${formatTotal(report.kept)}`);
      output.line(`condemned  ${formatTotal(report.condemned)}: no version has them; they go ${formatSeconds(Number(report.grace?.seconds ?? 0n))} after that was first seen`);
      output.line(`${dryRun ? 'would go' : 'removed '}   ${formatTotal(report.removed)}`);
      return EXIT.OK;
    }));
  return artifacts;
}
