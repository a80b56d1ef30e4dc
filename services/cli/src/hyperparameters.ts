import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactClient } from '@lockstep/client';
import { InvalidArgumentError } from 'commander';
import { CliError } from './cli-error';
import { jsonObject } from './parse-flags';
import { resolveVersion } from './resolve-version';

/** Where a job's hyperparameters come from. */
export type HyperparametersSource =
  | { readonly kind: 'JSON'; readonly json: string }
  /** A version of type HyperParameters, as people name versions. */
  | { readonly kind: 'VERSION'; readonly version: string };

/** A JSON object, @FILE that holds one, or what names a version. @throws InvalidArgumentError */
export function hyperparametersSource(text: string): HyperparametersSource {
  const isVersion = /^[a-z0-9]/.test(text) && !isJson(text);
  return isVersion ? { kind: 'VERSION', version: text } : { kind: 'JSON', json: jsonObject(text) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The JSON object that the module sees as fnArgs.hyperparameters. That of a version is the content of its one file, as TFX hands it on.
 *
 * @throws CliError when the version is of another type, or its file holds something else
 */
export async function readHyperparameters(source: HyperparametersSource, artifacts: ArtifactClient): Promise<string> {
  switch (source.kind) {
    case 'JSON': return source.json;
    case 'VERSION': {
      const name = await resolveVersion(artifacts, source.version, 'HyperParameters');
      return readVersion(name, artifacts);
    }
  }
}

async function readVersion(name: string, artifacts: ArtifactClient): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-hyperparameters-'));
  try {
    const { entries } = await artifacts.downloadTo(name, join(folder, 'version'));
    const [file, ...others] = entries;
    if (!file || others.length > 0) throw new CliError(`${name} has ${entries.length} files`, 'A version of HyperParameters has one, best_hyperparameters.txt.');
    const text = await readFile(join(folder, 'version', file.path), 'utf8');
    try {
      return jsonObject(text.trimStart());
    } catch (e) {
      throw e instanceof InvalidArgumentError ? new CliError(`${file.path} of ${name} ${e.message}`) : e;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
