import type { ArtifactClient } from '@lockstep/client';
import { CliError } from './cli-error';

/**
 * The full name of a version from what people type: `penguins` (its newest), `penguins@3`, or the name itself.
 *
 * @throws CliError when it does not exist, or is of another type
 */
export async function resolveVersion(artifacts: ArtifactClient, text: string, type?: string): Promise<string> {
  const match = /^(?:artifacts\/)?([a-z0-9][a-z0-9._-]*)(?:(?:@|\/versions\/)(\d+|latest))?$/.exec(text);
  if (!match) throw new CliError(`"${text}" names no version`, 'Write NAME, NAME@3 or artifacts/NAME/versions/3.');
  const version = await artifacts.getVersion(`artifacts/${match[1] ?? ''}/versions/${match[2] ?? 'latest'}`);
  if (type !== undefined && version.type !== type) throw new CliError(`${version.name} is of type ${version.type}, not ${type}`);
  return version.name;
}
