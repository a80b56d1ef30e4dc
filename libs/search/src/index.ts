export { refuseViolations, SearchError, type SearchErrorReason, type Violation } from './search-error';
export type {
  BooleanParameter, ChoiceParameter, Condition, FixedParameter, FloatParameter, IntParameter, Parameter, Sampling,
} from './space/parameter';
export { defaultOf } from './space/parameter';
export { cardinality } from './space/cardinality';
export { checkConditions } from './space/check-conditions';
export { checkSpace, MAX_PARAMETERS } from './space/check-space';
export { isOfType, MAX_CHOICES, MAX_TEXT_LENGTH } from './space/check-parameter';
export { checkValues, valueFault } from './space/check-values';
export { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter, type ChoiceOptions, type RangeOptions } from './space/make-parameter';
export { mergeSpace, type SpaceMerge } from './space/merge-space';
export { identityOf } from './space/parameter-identity';
export { indexedValue, probabilityOf, valueAt, valueCount } from './space/probability';
export { sortSpace } from './space/sort-space';
export { activeParameters, activeValues, chooseValues, completeValues, defaultValues, isActive, type SearchSpace } from './space/search-space';
export { commonType, valuesKey, type Value, type Values, type ValueType } from './space/value';
export { formatPythonJson, parsePythonJson, PythonFloat, type PythonJson } from './keras-tuner/python-json';
export {
  formatHyperparameters, parseHyperparameters, readHyperparameters, writeHyperparameters, type Hyperparameters,
} from './keras-tuner/space-json';
export { BayesianOptimization } from './bayesian/bayesian-optimization';
export type { GaussianOptions } from './bayesian/gaussian-options';
export { GaussianSampler, type GaussianSamplerOptions } from './bayesian/gaussian-sampler';
export { recommendTrial } from './bayesian/recommend';
export { GridSearch } from './grid/grid-search';
export { Asha, ASHA_DEFAULTS, type AshaOptions } from './hyperband/asha';
export { Hyperband, HYPERBAND_DEFAULTS, type HyperbandOptions } from './hyperband/hyperband';
export { Schedule, type Sweep } from './hyperband/sweep';
export { parameterImportance, type Importance, type ParameterShare } from './importance/importance';
export { Mt19937 } from './random/mt19937';
export { RandomSampler } from './random/random-sampler';
export { RandomSearch } from './random/random-search';
export { kerasTunerValues } from './results/keras-tuner-values';
export { BEST_HYPERPARAMETERS_FILE, bestHyperparameters, TUNER_RESULTS_FILE, tunerResults, type FinishedStudy } from './results/tfx-results';
export { trialIds, type TrialIdOf } from './results/trial-ids';
export { CURVE_DEFAULTS, CurveStopper, type CurveOptions } from './stopping/curve-stopper';
export { MEDIAN_DEFAULTS, MedianStopper, type MedianOptions } from './stopping/median-stopper';
export { RungStopper } from './stopping/rung-stopper';
export { GO_ON, type StopDecision, type Stopper } from './stopping/stopper';
export type { Algorithm, Sample, Sampler, Suggestion } from './study/algorithm';
export { directionOf, objectiveOf } from './study/direction';
export { endOrWait } from './study/end-or-wait';
export { EnqueuedFirst, nextEnqueued } from './study/enqueued';
export { learningCurve, wholeCurve, type CurvePoint } from './study/learning-curve';
export { checkLimits, mostFailuresInARow, type LimitCheck, type StudyLimits, type StudyProgress } from './study/limits';
export type { Direction, Objective } from './study/objective';
export { dominates, paretoFront } from './study/pareto-front';
export { decideRetry, RETRY_DEFAULTS, type RetryDecision, type RetryPolicy, type TriesSoFar } from './study/retry-policy';
export { scoresOf, type Scoring } from './study/scores';
export { combined, ranked, standingOf } from './study/standing';
export type { StudyHistory } from './study/study-history';
export { TriedValues } from './study/tried-values';
export { isPending, WHOLE, type Fidelity, type Json, type Measurement, type Memo, type TrialRecord, type TrialState } from './study/trial-record';
export {
  completeEnded, completeTrial, NO_FINDINGS, type Findings, type TrialOutcome,
} from './tracking/complete';
export { enqueueValues, extendStudy, growSpace, MAX_ENQUEUED, stopStudy, type Extension } from './tracking/direct';
export { importTrials, type ForeignHistory, type ForeignTrial, type Imported } from './tracking/import-trials';
export { adviseStop, askStop, expireLeases, hear, nextExpiryMs, releaseHolder } from './tracking/leases';
export { trialLost } from './tracking/holder';
export { isStudyId, STUDY_ID_RULE } from './tracking/study-id';
export { noteLineage, noteResults } from './tracking/lineage';
export { MAX_MEASUREMENTS, takeMeasurement } from './tracking/measure';
export { beginDiscovery, offerTrials, roomFor, takeExhaustion, takeSuggestion, type Offer } from './tracking/offer';
export {
  newStudy, trialName, type CommittedResults, type EndedCounts, type KnownSpace, type Move, type StudyChange, type StudyRules, type StudyState, type TrackedStudy,
} from './tracking/tracked-study';
export {
  isHeld, isOpen, newTrial, toTrialRecord, type EndedState, type HeldState, type TrackedMeasurement, type TrackedState, type TrackedTrial, type TrialLineage, type TrialOrigin,
} from './tracking/tracked-trial';
export { TrackingError, type TrackingErrorReason } from './tracking/tracking-error';
