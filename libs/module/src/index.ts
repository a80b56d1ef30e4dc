export type { DataAccessor, DatasetOptions, ExamplesDataset, ExportFeatures, ExportOptions, FeatureTensors, FnArgs, LabelledRows, RunFn } from '@lockstep/training';
export { auc, mergeableMetric, precision, recall, type MergeableMetric, type MergeableMetricDefinition, type StatefulCallback } from '@lockstep/training';
export {
  earlyStopping, learningRateScheduler, loadCheckpoint, loadCheckpointWeights, modelCheckpoint, reduceLROnPlateau, tensorBoard, terminateOnNaN,
  type EarlyStoppingOptions, type LearningRateSchedulerOptions, type ModelCheckpointOptions, type MonitorOptions, type ReduceLROnPlateauOptions, type TensorBoardOptions,
} from '@lockstep/training';
export {
  Asha, BayesianOptimization, FailedTrialError, GridSearch, Hyperband, HyperParameters, RandomSearch,
  type AshaOptions, type BayesianOptimizationOptions, type BooleanParameterOptions, type BuildModel, type ChoiceParameterOptions, type DatasetFitKwargs, type FitKwargs,
  type FitResult, type GridSearchOptions, type HyperbandOptions, type HyperModel, type Hypermodel, type HyperParametersConfig, type ObjectiveOption, type ParentOptions,
  type RandomSearchOptions, type RangeParameterOptions, type TensorFitKwargs, type TrialFitKwargs, type Tuner, type TunerFn, type TunerFnResult, type TunerOptions,
} from '@lockstep/training';
