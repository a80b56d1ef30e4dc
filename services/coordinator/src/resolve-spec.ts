import { create } from '@bufbuild/protobuf';
import { DurationSchema, type Duration } from '@bufbuild/protobuf/wkt';
import { CheckpointPolicySchema, Numerics, ShardPolicy, SplitArgsSchema, TrainJobSpecSchema, WorkerCountSchema, type CheckpointPolicy, type TrainJobSpec } from '@lockstep/contract';
import type { FieldViolation } from '@lockstep/rpc';
import { checkTunerJob } from './check-tuner-job';
import { ARTIFACT_NAME, VERSION_NAME } from './resource-names';

/** V unless a job says otherwise: stored in the job, and never derived from the cluster, because the bytes depend on it. */
export const DEFAULT_REPLICAS = 4;

/** More logical replicas than this are refused: the plan of a step grows with them. */
export const MAX_REPLICAS = 1024;

/** How often a job that lost all its workers starts again, unless it says otherwise. */
export const DEFAULT_MAX_RESTARTS = 3;

const DEFAULT_CHECKPOINT_SECONDS = 60n;
const DEFAULT_STEP_TIMEOUT_SECONDS = 300n;
const MIN_STEP_TIMEOUT_SECONDS = 1n;
const MAX_STEP_TIMEOUT_SECONDS = 7n * 24n * 3600n;
const DEFAULT_CHECKPOINTS_KEPT = 2;
const MAX_CHECKPOINTS_KEPT = 1000;

/** Seeds are numbers in modules: larger ones would lose digits there. */
const MAX_SEED = BigInt(Number.MAX_SAFE_INTEGER);

const SPLIT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** A spec with every default filled in, or everything that is wrong with it. */
export type Resolution =
  | { readonly kind: 'RESOLVED'; readonly spec: TrainJobSpec }
  | { readonly kind: 'INVALID'; readonly violations: readonly FieldViolation[] };

/** Fills in the defaults and checks whatever can be checked without looking anything up. All faults are found at once. */
export function resolveSpec(given: TrainJobSpec | undefined): Resolution {
  if (!given) return { kind: 'INVALID', violations: [{ field: 'spec', description: 'is required' }] };
  const replicas = given.replicas === 0 ? DEFAULT_REPLICAS : given.replicas;
  const minWorkers = given.workers?.min ? given.workers.min : 1;
  const maxWorkers = given.workers?.max ? given.workers.max : minWorkers;
  const spec = create(TrainJobSpecSchema, {
    ...given,
    function: given.function === '' ? (given.tuner ? 'tunerFn' : 'runFn') : given.function,
    trainArgs: create(SplitArgsSchema, { splits: given.trainArgs?.splits.length ? given.trainArgs.splits : ['train'], numSteps: given.trainArgs?.numSteps ?? 0 }),
    evalArgs: create(SplitArgsSchema, { splits: given.evalArgs?.splits.length ? given.evalArgs.splits : ['eval'], numSteps: given.evalArgs?.numSteps ?? 0 }),
    replicas,
    workers: create(WorkerCountSchema, { min: minWorkers, max: maxWorkers }),
    mathThreads: given.mathThreads === 0 ? 1 : given.mathThreads,
    numerics: given.numerics === Numerics.UNSPECIFIED ? Numerics.STRICT : given.numerics,
    shardPolicy: given.shardPolicy === ShardPolicy.UNSPECIFIED ? ShardPolicy.DATA : given.shardPolicy,
    checkpoint: resolveCheckpoint(given.checkpoint),
    maxRestarts: given.maxRestarts ?? DEFAULT_MAX_RESTARTS,
    stepTimeout: given.stepTimeout ?? create(DurationSchema, { seconds: DEFAULT_STEP_TIMEOUT_SECONDS }),
  });
  const violations = [...check(spec)];
  return violations.length > 0 ? { kind: 'INVALID', violations } : { kind: 'RESOLVED', spec };
}

function resolveCheckpoint(given: CheckpointPolicy | undefined): CheckpointPolicy {
  const everySteps = given?.everySteps ?? 0;
  const interval = given?.interval ?? (everySteps > 0 ? undefined : create(DurationSchema, { seconds: DEFAULT_CHECKPOINT_SECONDS }));
  return create(CheckpointPolicySchema, { everySteps, keep: given?.keep ? given.keep : DEFAULT_CHECKPOINTS_KEPT, ...(interval && { interval }) });
}

const isNegative = ({ seconds, nanos }: Duration): boolean => seconds < 0n || nanos < 0;

function* check(spec: TrainJobSpec): Generator<FieldViolation> {
  const bad = (field: string, description: string): FieldViolation => ({ field: `spec.${field}`, description });
  if (spec.module === '') yield bad('module', 'is required: the version of a Module, artifacts/{artifact}/versions/{version}');
  else if (!VERSION_NAME.test(spec.module)) yield bad('module', `"${spec.module}" is not the name of a version: artifacts/{artifact}/versions/{version}`);
  if (!/^[A-Za-z_$][\w$]*$/.test(spec.function)) yield bad('function', `"${spec.function}" is not the name of an exported function`);
  if (spec.examples.length === 0) yield bad('examples', 'is required: at least one version of type Examples');
  for (const [i, name] of spec.examples.entries()) {
    if (!VERSION_NAME.test(name)) yield bad(`examples[${i}]`, `"${name}" is not the name of a version: artifacts/{artifact}/versions/{version}`);
  }
  if (spec.schema !== '' && !VERSION_NAME.test(spec.schema)) yield bad('schema', `"${spec.schema}" is not the name of a version: artifacts/{artifact}/versions/{version}`);
  if (spec.hyperparameters !== '' && !VERSION_NAME.test(spec.hyperparameters)) yield bad('hyperparameters', `"${spec.hyperparameters}" is not the name of a version: artifacts/{artifact}/versions/{version}`);
  for (const [field, args] of [['train_args', spec.trainArgs], ['eval_args', spec.evalArgs]] as const) {
    for (const [i, split] of (args?.splits ?? []).entries()) {
      if (!SPLIT_NAME.test(split)) yield bad(`${field}.splits[${i}]`, `"${split}" is not the name of a split`);
    }
  }
  for (const [field, json] of [['hyperparameters_json', spec.hyperparametersJson], ['custom_config_json', spec.customConfigJson]] as const) {
    const problem = json === '' ? undefined : notAnObject(json);
    if (problem !== undefined) yield bad(field, problem);
  }
  if (spec.replicas > MAX_REPLICAS) yield bad('replicas', `${spec.replicas} is more than ${MAX_REPLICAS}`);
  const { min, max } = spec.workers ?? { min: 1, max: 1 };
  if (min > max) yield bad('workers.min', `${min} is more than workers.max, ${max}`);
  if (max > spec.replicas) yield bad('workers.max', `${max} workers cannot share ${spec.replicas} logical replicas: lower workers.max, or raise replicas (which changes the bytes)`);
  if (spec.seed > MAX_SEED) yield bad('seed', `${spec.seed} is more than ${MAX_SEED}`);
  if (spec.mathThreads > 256) yield bad('math_threads', `${spec.mathThreads} is more than 256`);
  const makes = spec.tuner?.part.case === 'trial' ? "the trial's checkpoint" : 'the model';
  if (spec.output === '' && spec.tuner?.part.case !== 'discovery') yield bad('output', `is required: the artifact that ${makes} becomes a version of, artifacts/{artifact}`);
  else if (spec.output !== '' && !ARTIFACT_NAME.test(spec.output)) yield bad('output', `"${spec.output}" is not the name of an artifact: artifacts/{artifact}, in lower case`);
  if (spec.checkpoint?.interval && isNegative(spec.checkpoint.interval)) yield bad('checkpoint.interval', 'must not be negative; 0 writes none by time');
  if ((spec.checkpoint?.keep ?? 0) > MAX_CHECKPOINTS_KEPT) yield bad('checkpoint.keep', `${spec.checkpoint?.keep} is more than ${MAX_CHECKPOINTS_KEPT}`);
  const { stepTimeout } = spec;
  if (stepTimeout && (stepTimeout.seconds < MIN_STEP_TIMEOUT_SECONDS || stepTimeout.seconds > MAX_STEP_TIMEOUT_SECONDS)) yield bad('step_timeout', 'must be from 1 second to 7 days');
  yield* checkTunerJob(spec);
  if (spec.maxRuntime && spec.maxRuntime.seconds <= 0n && spec.maxRuntime.nanos <= 0) yield bad('max_runtime', 'must be more than zero');
}

/** What is wrong with a JSON object, or undefined. */
export function notAnObject(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'must be a JSON object';
  } catch (e) {
    return `is not JSON: ${e instanceof Error ? e.message : String(e)}`;
  }
}
