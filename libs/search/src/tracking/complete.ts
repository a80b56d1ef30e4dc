/** How a trial, or a try of it, ends. */
import { isReservedName } from '../space/check-parameter';
import { checkValues } from '../space/check-values';
import { completeValues, type SearchSpace } from '../space/search-space';
import { valuesKey, type Values } from '../space/value';
import { refuseViolations } from '../search-error';
import { learningCurve } from '../study/learning-curve';
import { decideRetry, type RetryPolicy } from '../study/retry-policy';
import { scoresOf, type Scoring } from '../study/scores';
import { grownSpace } from './grown-space';
import { requireHeld, trialLost } from './holder';
import { settled } from './settle';
import { TrackingError } from './tracking-error';
import { isHeld, isOpen, type EndedState, type TrackedTrial } from './tracked-trial';
import { trialName, withTrials, type EndedCounts, type Move, type StudyChange, type TrackedStudy } from './tracked-study';

/** What a client says came of a trial. */
export type TrialOutcome =
  /** `metrics`: values of the objectives; undefined: the best that was reported. */
  | { readonly kind: 'SUCCESS'; readonly metrics: ReadonlyMap<string, number> | undefined }
  | { readonly kind: 'INFEASIBLE'; readonly reason: string }
  | { readonly kind: 'FAILURE'; readonly error: string }
  /** What ran it vanished, `workers` in number: nothing is known of the trial, and another tries it. */
  | { readonly kind: 'LOSS'; readonly detail: string; readonly workers: number };

/** What a run met that its study did not know. */
export interface Findings {
  /** Parents before children. Parameters that are known already are fine. */
  readonly parameters: SearchSpace;
  /** Values that they had; the others had their defaults. */
  readonly values: Values;
}

export const NO_FINDINGS: Findings = { parameters: [], values: new Map() };

/**
 * Ends a client's trial, or its try: a failed one is offered again as often as the study allows.
 *
 * @throws TrackingError NOT_PENDING, TRIAL_LOST, MISSING_METRIC; SearchError INVALID_SPACE when what was found contradicts what is known, INVALID_VALUES when it had values that its parameters cannot have
 */
export function completeTrial(study: TrackedStudy, number: number, client: string, outcome: TrialOutcome, findings: Findings, nowMs: number): Move<TrackedTrial> {
  const pending = study.pending.get(number);
  if (pending && repeatsFailure(pending, client, outcome)) return { study, changes: [], result: pending };
  const held = requireHeld(study, number, client);
  const grown = withFindings(study, held, findings);
  const { trial } = grown;
  switch (outcome.kind) {
    case 'SUCCESS': {
      const scoring = score(study, trial, outcome.metrics);
      return after(grown, ended(grown.study, trial, scoring.kind === 'SCORED' ? { kind: 'SUCCEEDED', scores: scoring.scores } : { kind: 'INFEASIBLE', reason: scoring.why }, client, nowMs));
    }
    case 'INFEASIBLE': return after(grown, ended(grown.study, trial, { kind: 'INFEASIBLE', reason: outcome.reason }, client, nowMs));
    case 'FAILURE': return after(grown, failTry(grown.study, trial, client, outcome.error, nowMs));
    case 'LOSS': return after(grown, loseTry(grown.study, trial, client, outcome, nowMs));
  }
}

/**
 * The answer to a client that completes a trial which has ended: the same outcome again is fine.
 *
 * @param trial as it ended
 * @throws TrackingError TRIAL_ENDED, TRIAL_LOST
 */
export function completeEnded(study: Pick<TrackedStudy, 'name' | 'objectives'>, trial: TrackedTrial, client: string, outcome: TrialOutcome): TrackedTrial {
  if (trial.endedBy !== client) throw trialLost(study, trial, client);
  if (endedAs(study, trial, outcome)) return trial;
  const name = trialName(study, trial.number);
  throw new TrackingError('TRIAL_ENDED', `${name} has ended already, and otherwise: ${trial.state.kind}. What has ended stays as it is`, { trial: name });
}

function endedAs(study: Pick<TrackedStudy, 'name' | 'objectives'>, trial: TrackedTrial, outcome: TrialOutcome): boolean {
  switch (outcome.kind) {
    case 'SUCCESS': {
      if (trial.state.kind !== 'SUCCEEDED' && trial.state.kind !== 'INFEASIBLE') return false;
      const scoring = score(study, trial, outcome.metrics);
      if (scoring.kind === 'UNSCORED') return trial.state.kind === 'INFEASIBLE';
      return trial.state.kind === 'SUCCEEDED' && trial.state.scores.every((value, i) => Object.is(value, scoring.scores[i]));
    }
    case 'INFEASIBLE': return trial.state.kind === 'INFEASIBLE' && trial.state.reason === outcome.reason;
    case 'FAILURE': return trial.state.kind === 'FAILED' && trial.state.error === outcome.error;
    case 'LOSS': return trial.state.kind === 'FAILED';
  }
}

/** A client that got no answer says again that its try failed: the trial is another's or nobody's by now. */
function repeatsFailure({ state, lastFailure }: TrackedTrial, client: string, outcome: TrialOutcome): boolean {
  return outcome.kind === 'FAILURE' && lastFailure?.holder === client && lastFailure.error === outcome.error && !(isHeld(state) && state.holder === client);
}

function failTry(study: TrackedStudy, trial: TrackedTrial, client: string, error: string, nowMs: number): Move<TrackedTrial> {
  const failures = trial.failures + 1;
  const failed: TrackedTrial = { ...trial, failures, lastFailure: { holder: client, error } };
  const decision = decideRetry(study.rules.retry, { errors: failures, losses: trial.losses });
  if (decision.kind === 'FAIL') return ended(study, failed, { kind: 'FAILED', error }, client, nowMs);
  const again: TrackedTrial = { ...failed, state: { kind: 'REQUESTED', detail: `its try ${failures} failed: ${error}` } };
  return { study: withTrials(study, [again]), changes: [{ kind: 'TRIAL', trial: again }], result: again };
}

function loseTry(study: TrackedStudy, before: TrackedTrial, client: string, { detail, workers }: Extract<TrialOutcome, { kind: 'LOSS' }>, nowMs: number): Move<TrackedTrial> {
  const trial = lose(before, study.rules.retry, detail, workers);
  if (!isOpen(trial.state)) return ended(study, trial, trial.state, client, nowMs);
  return { study: withTrials(study, [trial]), changes: [{ kind: 'TRIAL', trial }], result: trial };
}

/** A trial whose runner vanished: it is offered again, or has cost as many workers as the study allows. @param workers that vanished */
export function lose(trial: TrackedTrial, retry: RetryPolicy, detail: string, workers = 1): TrackedTrial {
  const losses = trial.losses + workers;
  const decision = decideRetry(retry, { errors: trial.failures, losses });
  return { ...trial, losses, state: decision.kind === 'RETRY' ? { kind: 'REQUESTED', detail } : { kind: 'FAILED', error: `${decision.why}, the last because ${detail}` } };
}

/** Takes a trial from the pending ones to those that have ended, and the study to its end where that is what follows. */
export function ended(study: TrackedStudy, trial: TrackedTrial, state: EndedState, by: string | undefined, nowMs: number): Move<TrackedTrial> {
  const result: TrackedTrial = { ...trial, state, endedBy: by };
  const pending = new Map(study.pending);
  pending.delete(trial.number);
  const next: TrackedStudy = { ...study, pending, ended: counted(study.ended, state), consecutiveFailed: consecutive(study.consecutiveFailed, state) };
  const changes: StudyChange[] = [{ kind: 'TRIAL', trial: result }, { kind: 'STUDY', told: false }];
  if (trial.origin === 'DISCOVERY' && next.space.kind === 'DISCOVERING') {
    const why = state.kind === 'FAILED' ? state.error : `it ended ${state.kind}`;
    return { study: { ...next, state: { kind: 'FAILED', error: `${trialName(study, trial.number)}, whose run was to tell what there is to search, told nothing: ${why}` } }, changes: [...changes, { kind: 'STUDY', told: true }], result };
  }
  return settled(next, changes, result, nowMs);
}

function counted(counts: EndedCounts, { kind }: EndedState): EndedCounts {
  switch (kind) {
    case 'SUCCEEDED': return { ...counts, succeeded: counts.succeeded + 1 };
    case 'INFEASIBLE': return { ...counts, infeasible: counts.infeasible + 1 };
    case 'FAILED': return { ...counts, failed: counts.failed + 1 };
    case 'CANCELLED': return { ...counts, cancelled: counts.cancelled + 1 };
  }
}

function consecutive(before: number, { kind }: EndedState): number {
  switch (kind) {
    case 'SUCCEEDED':
    case 'INFEASIBLE': return 0;
    case 'FAILED': return before + 1;
    case 'CANCELLED': return before;
  }
}

/** @throws TrackingError MISSING_METRIC */
function score(study: Pick<TrackedStudy, 'name' | 'objectives'>, trial: TrackedTrial, metrics: ReadonlyMap<string, number> | undefined): Scoring {
  const measurements = metrics ? [{ epoch: 0, metrics }] : trial.measurements;
  const scoring = scoresOf(measurements, study.objectives);
  if (scoring.kind === 'SCORED' || learningCurve(measurements, study.objectives).length > 0) return scoring;
  const name = trialName(study, trial.number);
  throw new TrackingError('MISSING_METRIC', `${name} cannot have succeeded: ${scoring.why}. Report it, or complete the trial as infeasible or failed`, { trial: name });
}

interface Grown {
  readonly study: TrackedStudy;
  readonly trial: TrackedTrial;
  readonly changes: readonly StudyChange[];
}

/** @throws SearchError INVALID_SPACE, INVALID_VALUES */
function withFindings(study: TrackedStudy, trial: TrackedTrial, { parameters, values }: Findings): Grown {
  // What a trial was given stays as it is, and what it was told of its fidelity is no value.
  const found = new Map([...values].filter(([name]) => !trial.values.has(name) && !isReservedName(name)));
  if (parameters.length === 0 && found.size === 0) return { study, trial, changes: [] };
  const known = study.space.kind === 'KNOWN' ? study.space.space : [];
  const space = grownSpace(known, parameters, 'parameters');
  refuseViolations('INVALID_VALUES', checkValues(space, found, trial.values));
  const complete = completeValues(space, new Map([...found, ...trial.values]));
  const grown: TrackedTrial = valuesKey(complete) === valuesKey(trial.values) ? trial : { ...trial, values: complete };
  // A discovery that found nothing to search tells nothing; it may fail or succeed as it likes.
  if (space === known) return { study, trial: grown, changes: [] };
  return { study: { ...study, space: { kind: 'KNOWN', space } }, trial: grown, changes: [{ kind: 'STUDY', told: true }] };
}

const after = (grown: Grown, move: Move<TrackedTrial>): Move<TrackedTrial> => ({ ...move, changes: [...grown.changes, ...move.changes] });

