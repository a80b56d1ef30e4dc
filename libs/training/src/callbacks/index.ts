export { loadCheckpoint, loadCheckpointWeights } from './checkpoint-files';
export { earlyStopping, type EarlyStoppingOptions } from './early-stopping';
export { learningRateScheduler, type LearningRateSchedulerOptions } from './learning-rate-scheduler';
export type { MonitorOptions } from './monitor';
export { modelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint';
export { reduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau';
export { tensorBoard, type TensorBoardOptions } from './tensor-board';
export { terminateOnNaN } from './terminate-on-nan';
