import type { TunerClient } from '@lockstep/client';
import { RpcError } from '@lockstep/rpc';
import { isStudyId } from '@lockstep/search';
import { CliError, EXIT } from '../cli-error';
import { studyState } from './study-summary';

/** Says what the tuner would say, before anything else is done. @throws CliError (USAGE) for an id that no study can have */
export function checkStudyId(id: string): void {
  if (!isStudyId(id)) throw new CliError(`--name ${JSON.stringify(id)} is no id of a study`, 'Lower-case letters, digits and "-", at most 63, a letter or a digit first.', EXIT.USAGE);
}

/** Looks before a job is spent on it. @throws CliError when there is a study of that id */
export async function checkFree(client: Pick<TunerClient, 'get'>, id: string): Promise<void> {
  const study = await client.get(`studies/${id}`).catch((e: unknown) => {
    if (e instanceof RpcError && e.code === 'NOT_FOUND') return undefined;
    throw e;
  });
  if (study) throw new CliError(`${study.name} exists already: it is ${studyState(study)}`, `\`lockstep studies watch ${id}\` follows it, \`lockstep studies extend ${id}\` gives it more to do; give another --name for a new one.`);
}

/** `studies/x` or just `x`. */
export const studyName = (text: string): string => (text.startsWith('studies/') ? text : `studies/${text}`);
