import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { ExecutionState, JobResultSchema, TrainJobSpecSchema, type Assignment, type JobResult, type TrainJobSpec, type Version } from '@lockstep/contract';
import type { ArtifactClient, PutOptions, PutResult } from '@lockstep/client';
import type { TrainingState } from '@lockstep/training';

/** Who commits, and what is said of every job's result. */
export interface ResultCommit {
  readonly artifacts: ArtifactClient;
  readonly assignment: Assignment;
  /** The one that may publish. */
  readonly generation: bigint;
  readonly job: string;
  readonly steps: number;
  /** At the end; the same on every member. */
  readonly state: TrainingState;
  readonly notes: readonly string[];
}

/** Puts what a job has made; what all of a job's puts have in common is given. */
export type Publish = (put: Pick<PutOptions, 'artifact' | 'execution' | 'fence'>) => Promise<PutResult>;

/** A job's result, and the version that was published. */
export interface CommittedResult {
  readonly result: JobResult;
  readonly version: Version;
}

/** Publishes what a job has made as a version, fenced by (job, generation), with the execution that made it. */
export async function commitResult(commit: ResultCommit, executionType: string, publish: Publish): Promise<CommittedResult> {
  const { artifacts, generation, job } = commit;
  const spec = specOf(commit);
  const execution = await begin(commit, executionType);
  const { version } = await publish({ artifact: spec.output, execution, fence: { job, generation: Number(generation) } });
  await artifacts.completeExecution(execution, ExecutionState.SUCCEEDED);
  return { result: toResult(commit, execution), version };
}

/** The result of a job that publishes nothing: its execution is kept all the same. */
export async function commitNothing(commit: ResultCommit, executionType: string): Promise<JobResult> {
  const execution = await begin(commit, executionType);
  await commit.artifacts.completeExecution(execution, ExecutionState.SUCCEEDED);
  return toResult(commit, execution);
}

async function begin(commit: ResultCommit, type: string): Promise<string> {
  const spec = specOf(commit);
  const { name } = await commit.artifacts.beginExecution({
    type, specDigest: createHash('sha256').update(toBinary(TrainJobSpecSchema, spec)).digest('hex'), inputs: inputsOf(spec),
    labels: [{ key: 'job', value: commit.job }, { key: 'generation', value: String(commit.generation) }],
  });
  return name;
}

const toResult = ({ steps, state, notes }: ResultCommit, execution: string): JobResult =>
  create(JobResultSchema, { stateDigest: state.digest, steps: BigInt(steps), execution, notes: [...notes] });

function specOf({ assignment: { spec } }: ResultCommit): TrainJobSpec {
  if (!spec) throw new Error('the assignment has no spec');
  return spec;
}

function inputsOf({ module, examples, schema, hyperparameters, tuner }: TrainJobSpec): readonly { readonly key: string; readonly version: string }[] {
  const parent = tuner?.part.case === 'trial' ? tuner.part.value.startFrom : '';
  return [
    { key: 'module', version: module },
    ...examples.map((version) => ({ key: 'examples', version })),
    ...(schema === '' ? [] : [{ key: 'schema', version: schema }]),
    ...(hyperparameters === '' ? [] : [{ key: 'hyperparameters', version: hyperparameters }]),
    ...(parent === '' ? [] : [{ key: 'checkpoint', version: parent }]),
  ];
}
