import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SplitArgs, TrainJobSpec } from '@lockstep/contract';
import { createReaderPool, readSchema, type RowReader, type Schema } from '@lockstep/examples';
import { createDataAccessor, type FnArgs, type Training } from '@lockstep/training';
import { fromShardPolicy, type VersionCache } from '@lockstep/client';
import { modelExporter } from './export-model';
import { JobFiles, splitPattern } from './job-files';
import type { ModuleRun } from './run-module';

const SCHEMA_FILE = 'schema.pbtxt';

export interface FnArgsParts {
  readonly run: ModuleRun;
  readonly spec: TrainJobSpec;
  readonly cache: VersionCache;
  readonly training: Training;
  readonly servingModelDir: string;
  readonly modelRunDir: string;
}

/** What a module is called with, and what is to be closed after it. */
export interface PreparedFnArgs {
  readonly fnArgs: FnArgs;
  readonly reader: RowReader;
}

/** @throws ExamplesError when the schema does not parse */
export async function makeFnArgs({ run, spec, cache, training, servingModelDir, modelRunDir }: FnArgsParts): Promise<PreparedFnArgs> {
  const files = new JobFiles(run.assignment.shardTables, cache);
  const patterns = (args: SplitArgs | undefined): readonly string[] =>
    spec.examples.flatMap((version) => (args?.splits ?? []).map((split) => splitPattern(version, split)));
  const trainFiles = patterns(spec.trainArgs);
  const schemaPath = await fetchSchema(spec, cache);
  const schema: Schema | undefined = schemaPath === undefined ? undefined : await readSchema(schemaPath);
  const workingDir = join(run.config.workFolder, 'working');
  await mkdir(workingDir, { recursive: true });
  const reader = createReaderPool({ cacheFolder: join(run.config.cacheFolder, 'records') });
  const seed = Number(spec.seed);
  return {
    reader,
    fnArgs: {
      trainFiles, evalFiles: patterns(spec.evalArgs),
      trainSteps: spec.trainArgs?.numSteps ? spec.trainArgs.numSteps : undefined,
      evalSteps: spec.evalArgs?.numSteps ? spec.evalArgs.numSteps : undefined,
      schemaPath, servingModelDir, modelRunDir, workingDir, seed, replicas: spec.replicas,
      dataAccessor: createDataAccessor({ files, reader, seed, replicas: spec.replicas, shardPolicy: fromShardPolicy(spec.shardPolicy), ...(schema && { schema }) }),
      hyperparameters: jsonObject(spec.hyperparametersJson), customConfig: jsonObject(spec.customConfigJson),
      numExamples: files.recordCounts,
      exportModel: modelExporter({ training, schema, servingModelDir, backend: run.backend }),
    },
  };
}

async function fetchSchema(spec: TrainJobSpec, cache: VersionCache): Promise<string | undefined> {
  const version = spec.schema !== '' ? spec.schema : spec.examples[0];
  if (version === undefined || !(await cache.has(version, SCHEMA_FILE))) return undefined;
  return cache.file(version, SCHEMA_FILE);
}

/** The coordinator has checked that it is one. */
const jsonObject = (json: string): Readonly<Record<string, unknown>> => (json === '' ? {} : JSON.parse(json) as Record<string, unknown>);
