/** A study and its trials as the wire has them, as the search library knows them: scores, order and importance are computed there. */
import {
  Direction as DirectionNumber, Sampling as SamplingNumber,
  type Condition as ConditionMessage, type Measurement as MeasurementMessage, type Parameter as ParameterMessage, type ParameterValue, type Study, type StudySpec, type Trial, type Value as ValueMessage,
} from '@lockstep/contract';
import {
  booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter, trialIds, WHOLE,
  type Condition, type Fidelity, type Measurement, type Objective, type Parameter, type Sampling, type SearchSpace, type StudyHistory, type TrialIdOf, type TrialRecord, type TrialState, type Value, type Values, type ValueType,
} from '@lockstep/search';

/** Number of a trial, studies/{study}/trials/{number}. */
export const trialNumber = (name: string): number => Number(name.slice(name.lastIndexOf('/') + 1));

/** Ids of a study's trials, as KerasTuner's workers and the results have them. Hyperband sets its limit itself. */
export const trialIdsOf = (spec: Pick<StudySpec, 'algorithm' | 'maxTrials'> | undefined): TrialIdOf => trialIds(spec?.algorithm.case === 'hyperband' ? undefined : spec?.maxTrials);

/** The study's history; what is pending in it, but for enqueued values. @param trials all of the study's, in the order of suggestion */
export const toHistory = (study: Study, trials: readonly Trial[]): StudyHistory =>
  ({ space: spaceOf(study.spec), objectives: objectivesOf(study.spec), seed: Number(study.spec?.seed ?? 0n), trials: trials.map(toTrialRecord), enqueued: [] });

/** The study's objectives, whose directions the service has filled in. */
export const objectivesOf = (spec: StudySpec | undefined): readonly Objective[] =>
  (spec?.objectives ?? []).map(({ metric, direction }) => ({ metric, direction: direction === DirectionNumber.MAX ? 'MAX' : 'MIN' }));

/** The space that is searched; empty while it is being discovered. The service has checked it. */
export const spaceOf = (spec: StudySpec | undefined): SearchSpace =>
  (spec?.space.case === 'searchSpace' ? spec.space.value.parameters.flatMap((parameter) => toParameter(parameter) ?? []) : []);

function toParameter({ name, conditions: given, kind }: ParameterMessage): Parameter | undefined {
  const conditions = given.map(toCondition);
  switch (kind.case) {
    case 'floatRange': {
      const { min, max, step, sampling, defaultValue } = kind.value;
      return floatParameter(name, { min, max, step, sampling: toSampling(sampling), default: defaultValue, conditions });
    }
    case 'intRange': {
      const { min, max, step, sampling, defaultValue } = kind.value;
      return intParameter(name, {
        min: Number(min), max: Number(max), step: step === undefined ? undefined : Number(step), sampling: toSampling(sampling), default: defaultValue === undefined ? undefined : Number(defaultValue), conditions,
      });
    }
    case 'choice': {
      const { values, defaultValue, ordered } = kind.value;
      return choiceParameter(name, values.flatMap((value) => toValue(value) ?? []), { valueType: typeOf(values[0]), default: toValue(defaultValue), ordered, conditions });
    }
    case 'flag': return booleanParameter(name, { default: kind.value.defaultValue, conditions });
    case 'constant': return fixedParameter(name, toValue(kind.value.value) ?? '', { valueType: typeOf(kind.value.value), conditions });
    case undefined: return undefined;
  }
}

const toCondition = ({ parent, values }: ConditionMessage): Condition => ({ parent, values: values.flatMap((value) => toValue(value) ?? []) });

function toSampling(sampling: SamplingNumber): Sampling {
  switch (sampling) {
    case SamplingNumber.UNSPECIFIED:
    case SamplingNumber.LINEAR: return 'LINEAR';
    case SamplingNumber.LOG: return 'LOG';
    case SamplingNumber.REVERSE_LOG: return 'REVERSE_LOG';
  }
}

function typeOf(value: ValueMessage | undefined): ValueType | undefined {
  switch (value?.kind.case) {
    case 'intValue': return 'INT';
    case 'floatValue': return 'FLOAT';
    case 'stringValue': return 'STRING';
    case 'boolValue': return 'BOOLEAN';
    case undefined: return undefined;
  }
}

function toValue(message: ValueMessage | undefined): Value | undefined {
  const value = message?.kind.value;
  return typeof value === 'bigint' ? Number(value) : value;
}

/** Values by name, in their order. */
export const toValues = (values: readonly ParameterValue[]): Values => new Map(values.flatMap(({ name, value }) => {
  const read = toValue(value);
  return read === undefined ? [] : [[name, read] as const];
}));

/** A trial as algorithms see it. */
export const toTrialRecord = (trial: Trial): TrialRecord => ({
  number: trialNumber(trial.name), values: toValues(trial.values), fidelity: toFidelity(trial), state: toTrialState(trial), measurements: trial.measurements.map(toMeasurement), memo: {},
});

export const toMeasurement = ({ epoch, metrics }: MeasurementMessage): Measurement => ({ epoch, metrics: new Map(metrics.map(({ name, value }) => [name, value])) });

function toFidelity({ rung }: Trial): Fidelity {
  if (!rung) return WHOLE;
  const { iteration, bracket, round, initialEpoch, epochs, parent } = rung;
  return { kind: 'RUNG', iteration, bracket, round, initialEpoch, epochs, ...(parent !== '' && { parent: trialNumber(parent) }) };
}

function toTrialState({ state }: Trial): TrialState {
  switch (state.case) {
    case 'running': return { kind: 'RUNNING' };
    case 'stopping': return { kind: 'STOPPING' };
    case 'succeeded': return { kind: 'SUCCEEDED', scores: state.value.scores };
    case 'infeasible': return { kind: 'INFEASIBLE', reason: state.value.reason };
    case 'failed': return { kind: 'FAILED', error: state.value.error };
    case 'cancelled': return { kind: 'CANCELLED' };
    case 'requested':
    case undefined: return { kind: 'REQUESTED' };
  }
}
