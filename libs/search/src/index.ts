export { refuseViolations, SearchError, type SearchErrorReason, type Violation } from './search-error';
export type {
  BooleanParameter, ChoiceParameter, Condition, FixedParameter, FloatParameter, IntParameter, Parameter, Sampling,
} from './space/parameter';
export { defaultOf } from './space/parameter';
export { cardinality } from './space/cardinality';
export { checkSpace, MAX_PARAMETERS } from './space/check-space';
export { isOfType, MAX_CHOICES, MAX_TEXT_LENGTH } from './space/check-parameter';
export { checkValues, valueFault } from './space/check-values';
export { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter, type ChoiceOptions, type RangeOptions } from './space/make-parameter';
export { mergeSpace, type SpaceMerge } from './space/merge-space';
export { identityOf } from './space/parameter-identity';
export { indexedValue, probabilityOf, valueAt, valueCount } from './space/probability';
export { sortSpace } from './space/sort-space';
export { activeParameters, chooseValues, completeValues, defaultValues, isActive, type SearchSpace } from './space/search-space';
export { commonType, valuesKey, type Value, type Values, type ValueType } from './space/value';
export { formatPythonJson, parsePythonJson, PythonFloat, type PythonJson } from './keras-tuner/python-json';
export {
  formatHyperparameters, parseHyperparameters, readHyperparameters, writeHyperparameters, type Hyperparameters,
} from './keras-tuner/space-json';
export { GridSearch } from './grid/grid-search';
export { Asha, ASHA_DEFAULTS, type AshaOptions } from './hyperband/asha';
export { Hyperband, HYPERBAND_DEFAULTS, type HyperbandOptions } from './hyperband/hyperband';
export { Schedule, type Sweep } from './hyperband/sweep';
export { Mt19937 } from './random/mt19937';
export { RandomSampler } from './random/random-sampler';
export { RandomSearch } from './random/random-search';
export type { Algorithm, Sample, Sampler, Suggestion } from './study/algorithm';
export { EnqueuedFirst, nextEnqueued } from './study/enqueued';
export type { Direction, Objective } from './study/objective';
export { combined, ranked, standingOf } from './study/standing';
export type { StudyHistory } from './study/study-history';
export { TriedValues } from './study/tried-values';
export { isPending, WHOLE, type Fidelity, type Json, type Measurement, type Memo, type TrialRecord, type TrialState } from './study/trial-record';
