import { resolve } from 'node:path';
import { Command } from 'commander';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ArtifactClient } from '@lockstep/client';
import { ArtifactSchema, VersionSchema } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import { EXIT, type ExitCode } from '../cli-error';
import { findCluster } from '../cluster';
import type { Context, Run } from '../main';
import { formatBytes } from '../output';
import { resolveVersion } from '../resolve-version';

const withClient = (run: Run, action: (client: ArtifactClient, context: Context) => Promise<ExitCode>): Promise<void> =>
  run(async (context) => {
    const channel = openChannel(findCluster(context.cluster).artifact);
    try {
      return await action(new ArtifactClient(channel), context);
    } finally {
      channel.close();
    }
  });

const TYPES = 'Examples, Schema, Module, Model, HyperParameters, ...';

export function artifactCommands(run: Run): Command {
  const artifacts = new Command('artifacts').description('List, show, fetch and add versions.').addHelpText('after', `
A version is named NAME (its newest), NAME@3 or artifacts/NAME/versions/3.

Examples:
  lockstep artifacts list
  lockstep artifacts show penguins-model
  lockstep artifacts get penguins-model@2 --to ./model
  lockstep artifacts put ./examples --name taxi --type Examples`);
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
      const name = await resolveVersion(client, text);
      const version = await client.downloadTo(name, resolve(to), { onProgress: ({ phase, doneBytes, totalBytes }) => output.redraw(`${phase.toLowerCase()}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`) });
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
  return artifacts;
}
