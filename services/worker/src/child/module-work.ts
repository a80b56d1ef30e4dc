import { existsSync, readdirSync } from 'node:fs';
import type { JobResult } from '@lockstep/contract';
import type { FnArgs, Training } from '@lockstep/training';
import { commitResult, type ResultCommit } from './commit-result';
import { NoModelError } from './job-error';
import type { ModuleRun } from './run-module';

/** What a job's function has done on this member. */
export interface ModuleWork {
  /** Whether it can commit: one that joined after an export has no model. */
  readonly hasResult: boolean;
  /** Publishes what came of it. */
  commit(commit: ResultCommit): Promise<JobResult>;
}

/** What a job's function runs with. */
export interface WorkParts {
  readonly run: ModuleRun;
  /** The function that the job names. */
  readonly call: (fnArgs: FnArgs) => unknown;
  readonly fnArgs: FnArgs;
  readonly training: Training;
}

/** The artifact of the runs that make an artifact's versions. @param artifact artifacts/{artifact}, of at most 128 letters as the result is */
const runArtifact = (artifact: string): string => `${artifact.slice(0, 'artifacts/'.length + 128 - '-run'.length)}-run`;

/** Runs a runFn: it trains, and exports a model. @throws NoModelError when it exported none */
export async function trainModel({ run: { entrance, assignment }, call, fnArgs }: WorkParts): Promise<ModuleWork> {
  const { servingModelDir, modelRunDir } = fnArgs;
  await call(fnArgs);
  const hasResult = existsSync(servingModelDir);
  if (!hasResult && entrance === 'START' && assignment.checkpoint === '') {
    throw new NoModelError(`${assignment.spec?.function ?? 'runFn'} failed to generate model. Call \`await fnArgs.exportModel(model)\` before it returns`);
  }
  return {
    hasResult,
    commit: async (commit) => {
      let modelRun = '';
      const { result, version } = await commitResult(commit, 'TrainJob', async (put) => {
        // Before the model: with that the job is done.
        if (readdirSync(modelRunDir).length > 0) modelRun = (await commit.artifacts.putDirectory(modelRunDir, { ...put, artifact: runArtifact(put.artifact), type: 'ModelRun', outputKey: 'model_run' })).version.name;
        return commit.artifacts.putDirectory(servingModelDir, { ...put, type: 'Model', outputKey: 'model' });
      });
      return { ...result, model: version.name, modelDigest: version.digest, modelRun };
    },
  };
}
