export { createDataAccessor, type DataAccessor, type DataAccessorOptions } from './data-accessor';
export type { DatasetOptions } from './dataset-options';
export type { ExampleFiles } from './example-files';
export { openLocalExamples } from './local-example-files';
export { ExamplesDataset, type LabelledRows } from './examples-dataset';
export type { FeatureTensors } from './column-tensors';
