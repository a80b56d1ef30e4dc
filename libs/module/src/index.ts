export type { DataAccessor, DatasetOptions, ExamplesDataset, ExportFeatures, ExportOptions, FeatureTensors, FnArgs, LabelledRows, RunFn } from '@lockstep/training';
export { auc, mergeableMetric, precision, recall, type MergeableMetric, type MergeableMetricDefinition, type StatefulCallback } from '@lockstep/training';
