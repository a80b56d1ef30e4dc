export type { DataAccessor, DatasetOptions, ExamplesDataset, ExportFeatures, ExportOptions, FeatureTensors, FnArgs, LabelledRows, RunFn } from '@lockstep/training';
export { auc, mergeableMetric, precision, recall, type MergeableMetric, type MergeableMetricDefinition, type StatefulCallback } from '@lockstep/training';
export {
  earlyStopping, learningRateScheduler, loadCheckpoint, loadCheckpointWeights, modelCheckpoint, reduceLROnPlateau, tensorBoard, terminateOnNaN,
  type EarlyStoppingOptions, type LearningRateSchedulerOptions, type ModelCheckpointOptions, type MonitorOptions, type ReduceLROnPlateauOptions, type TensorBoardOptions,
} from '@lockstep/training';
