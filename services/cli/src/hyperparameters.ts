import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ArtifactClient } from '@lockstep/client';
import type { TrainJobSpecSchema } from '@lockstep/contract';
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

/** What a job's spec says of them; the content of a version is read by the coordinator. @throws CliError when the version is of another type */
export async function hyperparametersOf(source: HyperparametersSource, artifacts: ArtifactClient): Promise<Pick<MessageInitShape<typeof TrainJobSpecSchema>, 'hyperparameters' | 'hyperparametersJson'>> {
  switch (source.kind) {
    case 'JSON': return { hyperparametersJson: source.json };
    case 'VERSION': return { hyperparameters: await resolveVersion(artifacts, source.version, 'HyperParameters') };
  }
}
