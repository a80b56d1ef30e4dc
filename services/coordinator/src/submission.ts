import { create } from '@bufbuild/protobuf';
import { ShardPolicy, ShardSchema, ShardTableSchema, type Shard, type ShardTable, type TrainJobSpec } from '@lockstep/contract';
import type { FieldViolation } from '@lockstep/rpc';
import { cutShards } from '@lockstep/sharding';
import { CoordinatorError } from './coordinator-error';
import { notAnObject, resolveSpec } from './resolve-spec';

/** A file of a version. */
export interface CatalogFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** A version as the artifact service describes it. */
export interface CatalogVersion {
  readonly name: string;
  readonly type: string;
  readonly files: readonly CatalogFile[];
}

/** Data that cannot be trained on: a fault of the submission, not of the services that it is looked up in. */
export class DataProblem extends Error {
  override readonly name = 'DataProblem';
}

/** What a submission looks up. */
export interface Catalog {
  version(name: string): Promise<CatalogVersion | undefined>;
  /** Number of records in each file of a split, checked; rejects with a DataProblem when a file is truncated or corrupt. */
  countRecords(version: CatalogVersion, files: readonly CatalogFile[]): Promise<ReadonlyMap<string, number>>;
  /** The reason why a schema.pbtxt does not parse, or undefined. */
  schemaProblem(version: CatalogVersion, path: string): Promise<string | undefined>;
  /** A small file as UTF-8 text. */
  text(version: CatalogVersion, path: string): Promise<string>;
}

/** A spec that may run: checked against what exists, with the shard tables that its data is read by. */
export interface Submission {
  readonly spec: TrainJobSpec;
  readonly shardTables: readonly ShardTable[];
}

/** Path of the bundled module in a version of type Module. */
export const MODULE_FILE = 'module.js';
export const SCHEMA_FILE = 'schema.pbtxt';
/** Path of the state in a version of type Checkpoint. */
export const CHECKPOINT_FILE = 'state.bin';

/** Hyperparameters travel with every assignment. */
const MAX_HYPERPARAMETERS_BYTES = 1 << 20;

/** Shards hold at most this many records. */
export const SHARD_RECORDS = 4096;

/**
 * Resolves a spec and checks it against the artifact service.
 *
 * @throws CoordinatorError INVALID_SPEC with every fault at once
 */
export async function checkSubmission(given: TrainJobSpec | undefined, catalog: Catalog): Promise<Submission> {
  const resolution = resolveSpec(given);
  if (resolution.kind === 'INVALID') throw invalid(resolution.violations);
  let { spec } = resolution;
  const violations: FieldViolation[] = [];
  const add = (field: string, description: string): void => void violations.push({ field: `spec.${field}`, description });

  const typed = async (field: string, name: string, type: string): Promise<CatalogVersion | undefined> => {
    const version = await catalog.version(name);
    if (!version) add(field, `${name} does not exist: \`lockstep artifacts list\` shows what does`);
    else if (version.type !== type) add(field, `${name} is of type ${version.type}, not ${type}`);
    else return version;
    return undefined;
  };

  const module = await typed('module', spec.module, 'Module');
  if (module && !module.files.some((f) => f.path === MODULE_FILE)) add('module', `${spec.module} holds no ${MODULE_FILE}`);
  const startFrom = spec.tuner?.part.case === 'trial' ? spec.tuner.part.value.startFrom : '';
  const checkpoint = startFrom === '' ? undefined : await typed('tuner.trial.start_from', startFrom, 'Checkpoint');
  if (checkpoint && !checkpoint.files.some((f) => f.path === CHECKPOINT_FILE)) add('tuner.trial.start_from', `${startFrom} holds no ${CHECKPOINT_FILE}`);
  const examples: CatalogVersion[] = [];
  for (const [i, name] of spec.examples.entries()) {
    const version = await typed(`examples[${i}]`, name, 'Examples');
    if (version) examples.push(version);
  }
  await checkSchema(spec, examples, catalog, typed, add);
  if (spec.hyperparameters !== '') {
    const version = await typed('hyperparameters', spec.hyperparameters, 'HyperParameters');
    if (version) spec = { ...spec, hyperparametersJson: await hyperparametersOf(version, spec.hyperparametersJson, catalog, add) };
  }
  const shardTables = examples.length === spec.examples.length ? await cutSplits(spec, examples, catalog, add) : [];
  checkFiles(spec, shardTables, add);
  if (violations.length > 0) throw invalid(violations);
  return { spec, shardTables };
}

const invalid = (violations: readonly FieldViolation[]): CoordinatorError =>
  new CoordinatorError('INVALID_SPEC', `the job was not accepted: ${violations.map((v) => `${v.field}: ${v.description}`).join('; ')}`, { violations });

type Add = (field: string, description: string) => void;

async function checkSchema(
  spec: TrainJobSpec, examples: readonly CatalogVersion[], catalog: Catalog,
  typed: (field: string, name: string, type: string) => Promise<CatalogVersion | undefined>, add: Add,
): Promise<void> {
  const version = spec.schema === '' ? examples[0] : await typed('schema', spec.schema, 'Schema');
  if (!version) return;
  if (!version.files.some((f) => f.path === SCHEMA_FILE)) {
    if (spec.schema !== '') add('schema', `${spec.schema} holds no ${SCHEMA_FILE}`);
    return;
  }
  const problem = await catalog.schemaProblem(version, SCHEMA_FILE);
  if (problem !== undefined) add('schema', `${SCHEMA_FILE} of ${version.name} does not parse: ${problem}`);
}

/** The object in a version of HyperParameters. A spec that was read back from a job has it already. */
async function hyperparametersOf(version: CatalogVersion, given: string, catalog: Catalog, add: Add): Promise<string> {
  const [file, ...others] = version.files;
  if (!file || others.length > 0 || file.sizeBytes > MAX_HYPERPARAMETERS_BYTES) {
    add('hyperparameters', `${version.name} has ${version.files.length} files; a version of HyperParameters has one, of at most ${MAX_HYPERPARAMETERS_BYTES} bytes, as the tuner commits it`);
    return given;
  }
  const text = await catalog.text(version, file.path);
  const problem = notAnObject(text);
  if (problem !== undefined) {
    add('hyperparameters', `${file.path} of ${version.name} ${problem}`);
    return given;
  }
  const json = JSON.stringify(JSON.parse(text));
  if (given !== '' && JSON.stringify(JSON.parse(given)) !== json) add('hyperparameters_json', `is given, and differs from ${version.name}: give one of them`);
  return json;
}

/** With policy FILE each logical replica has files of its own. Of evaluation a module often says otherwise: it finds out there. */
function checkFiles({ shardPolicy, replicas, trainArgs }: TrainJobSpec, tables: readonly ShardTable[], add: Add): void {
  if (shardPolicy !== ShardPolicy.FILE) return;
  const splits = trainArgs?.splits ?? [];
  const shards = tables.filter(({ split }) => splits.includes(split)).flatMap((table) => table.shards);
  if (shards.length === 0) return;
  const files = new Set(shards.map(({ version, path }) => `${version} ${path}`)).size;
  if (files < replicas) add('shard_policy', `FILE gives each logical replica whole files: ${files} ${files === 1 ? 'file' : 'files'} of ${splits.join(', ')} cannot be shared by ${replicas}. Use DATA, write more files, or lower replicas (which changes the bytes)`);
}

async function cutSplits(spec: TrainJobSpec, examples: readonly CatalogVersion[], catalog: Catalog, add: Add): Promise<readonly ShardTable[]> {
  const tables: ShardTable[] = [];
  const wanted = new Map<string, string>();
  for (const [field, args] of [['train_args', spec.trainArgs], ['eval_args', spec.evalArgs]] as const) {
    for (const [i, split] of (args?.splits ?? []).entries()) if (!wanted.has(split)) wanted.set(split, `${field}.splits[${i}]`);
  }
  for (const [split, field] of wanted) {
    const shards: Shard[] = [];
    let readable = true;
    for (const version of examples) {
      const files = version.files.filter((f) => f.path.startsWith(`Split-${split}/`));
      if (files.length === 0) {
        add(field, `Split does not exist over all example artifacts: ${split} (not in ${version.name})`);
        readable = false;
        continue;
      }
      try {
        const counts = await catalog.countRecords(version, files);
        const table = cutShards(split, files.map(({ path }) => ({ file: path, recordCount: counts.get(path) ?? 0 })), SHARD_RECORDS);
        shards.push(...table.shards.map(({ file, firstRecord, recordCount }) =>
          create(ShardSchema, { version: version.name, path: file, firstRecord: BigInt(firstRecord), recordCount: BigInt(recordCount) })));
      } catch (e) {
        if (!(e instanceof DataProblem)) throw e;
        add(field, e.message);
        readable = false;
      }
    }
    if (readable && shards.length === 0) add(field, `split ${split} of ${examples.map((v) => v.name).join(', ')} holds no records`);
    tables.push(create(ShardTableSchema, { split, shards }));
  }
  return tables;
}
