import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { ExecutionState, JobResultSchema, TrainJobSpecSchema, type Assignment, type JobResult } from '@lockstep/contract';
import type { ArtifactClient } from '@lockstep/client';

export interface ModelCommit {
  readonly artifacts: ArtifactClient;
  readonly assignment: Assignment;
  /** The one that may publish. */
  readonly generation: bigint;
  readonly job: string;
  /** What the module exported. */
  readonly folder: string;
  readonly steps: number;
  readonly stateDigest: string;
  readonly notes: readonly string[];
}

/** Publishes the model as a version, fenced by (job, generation), with the execution that made it. */
export async function commitModel({ artifacts, assignment, generation, job, folder, steps, stateDigest, notes }: ModelCommit): Promise<JobResult> {
  const { spec } = assignment;
  if (!spec) throw new Error('the assignment has no spec');
  const { name: execution } = await artifacts.beginExecution({
    type: 'TrainJob',
    specDigest: createHash('sha256').update(toBinary(TrainJobSpecSchema, spec)).digest('hex'),
    inputs: [
      { key: 'module', version: spec.module },
      ...spec.examples.map((version) => ({ key: 'examples', version })),
      ...(spec.schema === '' ? [] : [{ key: 'schema', version: spec.schema }]),
    ],
    labels: [{ key: 'job', value: job }, { key: 'generation', value: String(generation) }],
  });
  const { version } = await artifacts.putDirectory(folder, {
    artifact: spec.output, type: 'Model', execution, outputKey: 'model',
    fence: { job, generation: Number(generation) },
  });
  await artifacts.completeExecution(execution, ExecutionState.SUCCEEDED);
  return create(JobResultSchema, { model: version.name, modelDigest: version.digest, stateDigest, steps: BigInt(steps), execution, notes: [...notes] });
}
