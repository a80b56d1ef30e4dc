import type { RowReader, Schema } from '@lockstep/examples';
import type { ShardPolicy } from '@lockstep/sharding';
import { TrainingError } from '../errors';
import type { FeatureTensors } from './column-tensors';
import { resolveDatasetOptions, type DatasetOptions } from './dataset-options';
import { datasetSpec } from './dataset-spec';
import type { ExampleFiles } from './example-files';
import { ExamplesDataset, type LabelledRows } from './examples-dataset';

/** TFX's data accessor in camelCase. */
export interface DataAccessor {
  /**
   * A dataset of the examples in the files that match.
   *
   * @param filePatterns as in fnArgs.trainFiles and fnArgs.evalFiles
   * @param schema default: the job's
   * @throws TrainingError BAD_ARGUMENT, ExamplesError NO_FILES and UNSUPPORTED_SCHEMA, ShardingError NO_RECORDS and TOO_FEW_FILES
   */
  tfDatasetFactory(filePatterns: string | readonly string[], options: DatasetOptions & { readonly labelKey: string }, schema?: Schema): ExamplesDataset<LabelledRows>;
  tfDatasetFactory(filePatterns: string | readonly string[], options: DatasetOptions, schema?: Schema): ExamplesDataset<FeatureTensors>;
}

/** What an accessor reads with. */
export interface DataAccessorOptions {
  readonly files: ExampleFiles;
  /** Stays the caller's, to be closed after the last dataset. */
  readonly reader: RowReader;
  /** Seed of shuffles that name none. */
  readonly seed: number;
  /** Schema of datasets that name none. */
  readonly schema?: Schema;
  /** V: under the shard policies FILE and OFF every logical replica reads rows of its own. Default: 1. */
  readonly replicas?: number;
  /** Of datasets that name none. Default: DATA. */
  readonly shardPolicy?: ShardPolicy;
}

export function createDataAccessor(accessor: DataAccessorOptions): DataAccessor {
  return {
    tfDatasetFactory: (filePatterns: string | readonly string[], options: DatasetOptions, schema = accessor.schema): ExamplesDataset<never> => {
      if (!schema) throw new TrainingError('BAD_ARGUMENT', 'a dataset of examples needs a schema: give one to the job, or read one with readSchema(path) and pass it');
      const patterns = typeof filePatterns === 'string' ? [filePatterns] : filePatterns;
      const resolved = resolveDatasetOptions(options, accessor);
      return new ExamplesDataset({
        patterns,
        table: accessor.files.shards(patterns),
        spec: datasetSpec(schema, resolved),
        options: resolved,
        reader: accessor.reader,
        localPath: (file) => accessor.files.localPath(file),
        mappings: [],
      });
    },
  };
}
