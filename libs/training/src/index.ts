export { BATCH_SOURCE, hasBatchSource, type BatchSource, type HasBatchSource, type RowsRead } from './batch-source';
export { installTraining, type Training } from './install';
export type { CallExtent, CallInfo, CallKind, PlannedData, Replay, StepInfo, TrainingObserver, TrainingRuntime } from './runtime';
export { StateError, TrainingError, type StateErrorReason, type TrainingErrorDetails, type TrainingErrorReason } from './errors';
export { auc, mergeableMetric, precision, recall, type MergeableMetric, type MergeableMetricDefinition } from './metrics';
export type { StatefulCallback } from './fit/callbacks';
export {
  earlyStopping, learningRateScheduler, loadCheckpoint, loadCheckpointWeights, modelCheckpoint, reduceLROnPlateau, tensorBoard, terminateOnNaN,
  type EarlyStoppingOptions, type LearningRateSchedulerOptions, type ModelCheckpointOptions, type MonitorOptions, type ReduceLROnPlateauOptions, type TensorBoardOptions,
} from './callbacks';
export type { AppliedBatch, CallbackState, EvaluationProgress, FitStage, RunState } from './fit/run';
export type { CallRecord, OptimizerState, RunningCallState, StateDtype, StateSnapshot, StateTensor, TrainingState } from './state/training-state';
export { decodeState, encodeState, stateDigest } from './state/state-codec';
export { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from './canonical-json';
export { MAX_CALLS } from './calls/call-sequence';
export { TFJS_VERSION, type Tf } from './tfjs';
export type { ExportFeatures, ExportOptions, FnArgs, RunFn } from './fn-args';
export { createDataAccessor, openLocalExamples, ExamplesDataset, type DataAccessor, type DataAccessorOptions, type DatasetOptions, type ExampleFiles, type FeatureTensors, type LabelledRows } from './data';
export { HyperParameters, type BooleanParameterOptions, type ChoiceParameterOptions, type HyperParametersConfig, type ParentOptions, type RangeParameterOptions } from './tuning/hyper-parameters';
export type { BuildModel, DatasetFitKwargs, FitKwargs, FitResult, HyperModel, Hypermodel, TensorFitKwargs, TrialFitKwargs, TunerFn, TunerFnResult } from './tuning/hypermodel';
export type { ObjectiveOption } from './tuning/objective';
export { FailedTrialError } from './tuning/failed-trial-error';
export type { ReportedOptions, Tuner, TunerAlgorithm, TunerOptions } from './tuning/tuner';
export {
  Asha, BayesianOptimization, GridSearch, Hyperband, RandomSearch,
  type AshaOptions, type BayesianOptimizationOptions, type GridSearchOptions, type HyperbandOptions, type RandomSearchOptions,
} from './tuning/tuners';
export { discover, type Discovery } from './tuning/discovery';
export { runTrial, type ObjectiveHistory, type TrialExecution, type TrialResult, type TrialTask } from './tuning/trial';
