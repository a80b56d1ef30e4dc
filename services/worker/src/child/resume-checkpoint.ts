import { readFile } from 'node:fs/promises';
import type { VersionCache } from '@lockstep/client';
import { RpcError } from '@lockstep/rpc';
import { StateError } from '@lockstep/training';
import { CHECKPOINT_FILE } from './checkpoint-writer';
import { CheckpointError } from './job-error';
import { decodeJobState, digestOf, type JobStateFile } from './job-state-file';

/**
 * The state that a job goes on from.
 *
 * @throws CheckpointError when it is damaged or gone: an older one may do; RpcError when the artifact service does not answer
 */
export async function readResumePoint(version: string, cache: VersionCache): Promise<JobStateFile> {
  try {
    const bytes = await readFile(await cache.file(version, CHECKPOINT_FILE));
    // The cache has checked the bytes against the version's manifest.
    return decodeJobState({ bytes, digest: digestOf(bytes) });
  } catch (e) {
    const isLost = e instanceof StateError || (e instanceof RpcError && (e.code === 'DATA_LOSS' || e.code === 'NOT_FOUND'));
    if (isLost) throw new CheckpointError(`${version} cannot be read, and the job goes on from the checkpoint before it: ${e.message}`, { cause: e });
    throw e;
  }
}
