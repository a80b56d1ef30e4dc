/** A study's spec: checked whole, every default filled in, and what it means. */
import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Direction as DirectionNumber, StudySpecSchema, type Objective as ObjectiveMessage, type StudySpec } from '@lockstep/contract';
import { checkConditions, checkSpace, directionOf, RETRY_DEFAULTS, SearchError, type KnownSpace, type Objective, type StudyRules, type Violation } from '@lockstep/search';
import { makeAlgorithm, makeStopper } from '../suggest/algorithm-settings';
import { algorithmSettings, resolveAlgorithm, resolveStopping, stopperSettings } from './resolve-algorithm';
import { resolveLimits } from './resolve-limits';
import { fromParameters } from './space-proto';

/** A spec that can be searched. */
export interface ResolvedSpec {
  /** With every default filled in. */
  readonly spec: StudySpec;
  readonly space: KnownSpace;
  readonly objectives: readonly Objective[];
  readonly rules: StudyRules;
}

const DEFAULT_LEASE_MS = 60_000;
const MIN_LEASE_MS = 1000;
/** Timers of Node run at most so long. */
const MAX_LEASE_MS = 2 ** 31 - 1;
const MAX_CONSECUTIVE_FAILED = 3;
const MAX_OBJECTIVES = 10;
/** A trial that is given up early would count as one that its rung has seen to the end, and have no checkpoint to be promoted from. */
const STOPS_ITSELF: ReadonlySet<StudySpec['algorithm']['case']> = new Set(['hyperband', 'asha']);

/** Faults go into the violations; what comes back is only meaningful when there are none. */
export function resolveSpec(given: StudySpec, violations: Violation[]): ResolvedSpec {
  const space = resolveSpace(given, violations);
  const objectives = resolveObjectives(given.objectives, violations);
  if (given.algorithm.case === undefined) violations.push({ field: 'spec.algorithm', description: 'is required: random_search, grid_search, hyperband, asha or bayesian_optimization' });
  const algorithm = resolveAlgorithm(given.algorithm);
  const stopping = resolveStopping(given.stopping);
  const settings = algorithmSettings(algorithm);
  collect(settingField('spec.algorithm', algorithm.case), violations, () => makeAlgorithm(settings));
  collect(settingField('spec.stopping', stopping.case), violations, () => makeStopper(stopperSettings(stopping)));
  if (objectives.length > 1 && stopping.case === 'curveStopping') violations.push({ field: 'spec.stopping', description: 'a curve is extrapolated for one objective only: use median_stopping, or none' });
  if (stopping.case !== undefined && STOPS_ITSELF.has(algorithm.case)) {
    violations.push({ field: 'spec.stopping', description: `${algorithm.case ?? ''} gives up trials itself, at its rungs, whose trials have to have run equally long: leave stopping out, or use it with random_search, grid_search or bayesian_optimization` });
  }
  if (given.seed > BigInt(Number.MAX_SAFE_INTEGER)) violations.push({ field: 'spec.seed', description: `${given.seed} is not below 2^53` });
  const spec = create(StudySpecSchema, { ...given, algorithm, stopping });
  return { spec, space, objectives, rules: resolveRules(given, violations) };
}

function resolveSpace({ space }: StudySpec, violations: Violation[]): KnownSpace {
  switch (space.case) {
    case 'discovery': return { kind: 'DISCOVERING' };
    case 'searchSpace': {
      const field = 'spec.search_space.parameters';
      const parameters = fromParameters(space.value.parameters, field, violations);
      violations.push(...checkSpace(parameters).map((v) => ({ ...v, field: v.field.replace(/^space/, field) })), ...checkConditions(parameters, [], field));
      return { kind: 'KNOWN', space: parameters };
    }
    case undefined:
      violations.push({ field: 'spec.space', description: 'what is searched has to be said: search_space, or discovery' });
      return { kind: 'DISCOVERING' };
  }
}

function resolveObjectives(given: readonly ObjectiveMessage[], violations: Violation[]): readonly Objective[] {
  if (given.length === 0) violations.push({ field: 'spec.objectives', description: 'is required: the metric that trials report and the study optimises' });
  if (given.length > MAX_OBJECTIVES) violations.push({ field: 'spec.objectives', description: `${given.length} objectives, at most ${MAX_OBJECTIVES}` });
  const seen = new Set<string>();
  return given.map(({ metric, direction }, i): Objective => {
    const field = `spec.objectives[${i}]`;
    if (metric === '') violations.push({ field: `${field}.metric`, description: 'is required' });
    if (seen.has(metric)) violations.push({ field: `${field}.metric`, description: `${JSON.stringify(metric)} is an objective already` });
    seen.add(metric);
    switch (direction) {
      case DirectionNumber.MIN: return { metric, direction: 'MIN' };
      case DirectionNumber.MAX: return { metric, direction: 'MAX' };
      case DirectionNumber.UNSPECIFIED:
        return { metric, direction: metric === '' ? 'MIN' : collect(() => `${field}.direction`, violations, () => directionOf(metric)) ?? 'MIN' };
    }
  });
}

function resolveRules(spec: StudySpec, violations: Violation[]): StudyRules {
  const { maxParallelTrials, maxRetriesPerTrial, maxConsecutiveFailedTrials, lease } = spec;
  const positive = (field: string, value: number | undefined): void => {
    if (value === 0) violations.push({ field: `spec.${field}`, description: 'must be at least 1: leave it out for the default' });
  };
  positive('max_parallel_trials', maxParallelTrials);
  positive('max_consecutive_failed_trials', maxConsecutiveFailedTrials);
  const leaseMs = lease ? durationMs(lease) : DEFAULT_LEASE_MS;
  if (leaseMs < MIN_LEASE_MS || leaseMs > MAX_LEASE_MS) violations.push({ field: 'spec.lease', description: `${leaseMs / 1000} s: it must be from ${MIN_LEASE_MS / 1000} s to ${Math.floor(MAX_LEASE_MS / 86_400_000)} days` });
  return {
    limits: { ...resolveLimits(spec, 'spec.', 'no limit', violations), maxConsecutiveFailures: maxConsecutiveFailedTrials ?? MAX_CONSECUTIVE_FAILED },
    maxParallelTrials: maxParallelTrials ?? (spec.jobs ? 1 : undefined), retry: { ...RETRY_DEFAULTS, maxRetries: maxRetriesPerTrial ?? RETRY_DEFAULTS.maxRetries }, leaseMs,
  };
}

/** Where a setting of the library's stands in a request: `options.minEpochs` of median_stopping. */
const settingField = (field: string, kind: string | undefined) => (setting: string): string => snakeCase([field, ...(kind === undefined ? [] : [kind]), setting.replace(/^[^.]*\./, '')].join('.'));

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Runs a check of the library's; what it refuses goes into the violations. @param fieldOf the request's field for the library's */
function collect<T>(fieldOf: (field: string) => string, violations: Violation[], check: () => T): T | undefined {
  try {
    return check();
  } catch (e) {
    if (!(e instanceof SearchError)) throw e;
    violations.push(...e.violations.map(({ field, description }) => ({ field: fieldOf(field), description })));
    return undefined;
  }
}
