/** A study that things happen to, for specs. */
import { floatParameter } from '../../space/make-parameter';
import { SearchError, type Violation } from '../../search-error';
import { WHOLE } from '../../study/trial-record';
import { completeTrial, NO_FINDINGS, type TrialOutcome } from '../complete';
import type { ForeignTrial } from '../import-trials';
import { takeSuggestion } from '../offer';
import { newStudy, type Move, type StudyRules, type TrackedStudy } from '../tracked-study';
import type { TrackedTrial } from '../tracked-trial';
import { TrackingError, type TrackingErrorReason } from '../tracking-error';

const LEASE_MS = 1000;
const RULES: StudyRules = { limits: { maxConsecutiveFailures: 3 }, maxParallelTrials: undefined, retry: { maxRetries: 1, maxLosses: 2 }, leaseMs: LEASE_MS };
export const SPACE = [floatParameter('x', { min: 0, max: 1 })];
const OBJECTIVES = [{ metric: 'loss', direction: 'MIN' }] as const;

export const study = (rules: Partial<StudyRules> = {}): TrackedStudy => newStudy('studies/s', { kind: 'KNOWN', space: SPACE }, OBJECTIVES, { ...RULES, ...rules }, 0);
export const suggestion = (x: number) => ({ kind: 'TRIAL', values: new Map([['x', x]]), fidelity: WHOLE, memo: {}, origin: 'ALGORITHM' } as const);
export const loss = (value: number): TrialOutcome => ({ kind: 'SUCCESS', metrics: new Map([['loss', value]]) });
export const FAILURE: TrialOutcome = { kind: 'FAILURE', error: 'no memory' };
export const measured = (epoch: number, value: number, execution = 0) => ({ epoch, execution, metrics: new Map([['loss', value]]) });

/** A study and the moves made with it, so that a test reads as what happened. */
export class Story {
  constructor(public now: TrackedStudy) {}

  do<T>(move: (study: TrackedStudy) => Move<T>): T {
    const { study: next, result } = move(this.now);
    this.now = next;
    return result;
  }

  begin(client: string, atMs = 0): TrackedTrial {
    return this.do((s) => takeSuggestion(s, suggestion(s.nextNumber / 100), client, atMs));
  }

  complete(number: number, client: string, outcome: TrialOutcome, atMs = 0): TrackedTrial {
    return this.do((s) => completeTrial(s, number, client, outcome, NO_FINDINGS, atMs));
  }
}

export const foreign = (x: number, ...scores: number[]): ForeignTrial => ({ values: new Map([['x', x]]), scores, source: `x = ${x}` });
export const NOTHING_NEW = { parameters: [], field: '' } as const;

export function violationsOf(act: () => unknown): readonly Violation[] {
  try {
    act();
    return [];
  } catch (e) {
    if (e instanceof SearchError) return e.violations;
    throw e;
  }
}

export function reasonOf(act: () => unknown): TrackingErrorReason | undefined {
  try {
    act();
    return undefined;
  } catch (e) {
    if (e instanceof TrackingError) return e.reason;
    throw e;
  }
}
