import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../cli-error';

/** A KerasTuner project, as its files. */
export interface KerasTunerFiles {
  /** Contents of the trial.json of each trial. */
  readonly trialJson: string[];
  /** Content of oracle.json; empty when there is none. */
  readonly oracleJson: string;
}

/** Reads the folder that KerasTuner calls the project's. @throws CliError when there are no trials in it */
export async function readKerasTunerFolder(folder: string): Promise<KerasTunerFiles> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((e: unknown) => { throw new CliError(`${folder} cannot be read: ${e instanceof Error ? e.message : String(e)}`); });
  const trials = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('trial_')).map(({ name }) => name).sort();
  const texts = await Promise.all(trials.map((name) => optionalText(join(folder, name, 'trial.json'))));
  const trialJson = texts.filter((text) => text !== '');
  if (trialJson.length === 0) throw new CliError(`${folder} holds no trials of KerasTuner`, 'Name the folder of the project: that with oracle.json and trial_*/trial.json.');
  return { trialJson, oracleJson: await optionalText(join(folder, 'oracle.json')) };
}

async function optionalText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return '';
    throw e;
  }
}
