/**
 * KerasTuner's chief, played by the tuner. A worker that gets an error dies with its trial, so refusals become answers that it lives with.
 *
 * 1. Who waits for a trial waits in its call: IDLE would have the worker ask again at once.
 * 2. A report of a trial that has become another's is taken note of and dropped.
 * 3. What the worker's run met is added to the space; what contradicts it fails the trial, by name.
 */
import { create } from '@bufbuild/protobuf';
import { kerasTuner, kerasTunerService } from '@lockstep/contract';
import { activeValues, defaultValues, isHeld, NO_FINDINGS, scoresOf, SearchError, TrackingError, type Findings, type TrackedTrial, type TrialOutcome } from '@lockstep/search';
import { RpcError, type Logger } from '@lockstep/rpc';
import type { StoredStudy } from '../store/study-store';
import type { Tuner } from '../study/tuner';
import { fromHyperParameters, toHyperParameters } from './keras-space';
import { fromKerasTrialId, kerasSignal, toKerasTrial } from './keras-trial';
import type { Presence, Worker } from './presence';

const { TrialStatus } = kerasTuner;

/** What the oracle knows of a call. */
export interface OracleCall {
  /** studies/{study} */
  readonly study: string;
  /** The connection it came on. */
  readonly peer: string;
  readonly signal: AbortSignal;
}

/** How long a worker waits in one call. */
const WAIT_MS = 60_000;
/** KerasTuner's workers among the holders of trials: a client of another kind may have the same name. */
export const HOLDER_PREFIX = 'keras-tuner:';
const MAX_BEST = 1000;

export const workerOf = (study: string, holder: string): Worker => `${study} ${holder}`;

export class Oracle {
  constructor(private readonly tuner: Tuner, private readonly presence: Presence, private readonly logger: Logger) {}

  async getSpace({ study }: OracleCall): Promise<kerasTunerService.GetSpaceResponse> {
    const { space } = (await this.tuner.get(study)).study;
    const known = space.kind === 'KNOWN' ? space.space : [];
    return create(kerasTunerService.GetSpaceResponseSchema, { hyperparameters: toHyperParameters(known, defaultValues(known)) });
  }

  async updateSpace({ hyperparameters }: kerasTunerService.UpdateSpaceRequest, { study }: OracleCall): Promise<kerasTunerService.UpdateSpaceResponse> {
    await this.tuner.grow(study, fromHyperParameters(hyperparameters).space);
    return create(kerasTunerService.UpdateSpaceResponseSchema);
  }

  async createTrial({ tunerId }: kerasTunerService.CreateTrialRequest, { study, peer, signal }: OracleCall): Promise<kerasTunerService.CreateTrialResponse> {
    const holder = `${HOLDER_PREFIX}${tunerId}`;
    this.presence.introduced(peer, workerOf(study, holder));
    const asked = await this.tuner.ask(study, holder, 1, WAIT_MS, signal);
    const stored = await this.tuner.get(study);
    switch (asked.kind) {
      case 'TRIALS': {
        const [trial] = asked.trials;
        return create(kerasTunerService.CreateTrialResponseSchema, { trial: trial ? toKerasTrial(stored.study, stored.spec, trial) : kerasSignal(stored.study, TrialStatus.IDLE) });
      }
      case 'NOTHING_YET': return create(kerasTunerService.CreateTrialResponseSchema, { trial: kerasSignal(stored.study, TrialStatus.IDLE) });
      case 'OVER': return create(kerasTunerService.CreateTrialResponseSchema, { trial: kerasSignal(stored.study, TrialStatus.STOPPED) });
    }
  }

  async updateTrial({ trialId, metrics, step }: kerasTunerService.UpdateTrialRequest, call: OracleCall): Promise<kerasTunerService.UpdateTrialResponse> {
    const number = numberOf(trialId);
    const holder = await this.reporterOf(number, call);
    if (holder !== undefined) {
      const epoch = Math.max(0, Number(step));
      await this.unlessLost(call.study, trialId, () => this.tuner.measure(call.study, number, holder, (trial) => ({
        epoch, metrics: new Map(Object.entries(metrics)),
        // The wire tells no executions: a step that is told again is another one, as for KerasTuner.
        execution: trial?.measurements.filter((known) => known.epoch === epoch).length ?? 0,
      })));
    }
    return create(kerasTunerService.UpdateTrialResponseSchema, { trial: await this.trial(call.study, number) });
  }

  async endTrial({ trial }: kerasTunerService.EndTrialRequest, call: OracleCall): Promise<kerasTunerService.EndTrialResponse> {
    const number = numberOf(trial?.trialId ?? '');
    const holder = await this.reporterOf(number, call);
    if (trial && holder !== undefined) await this.unlessLost(call.study, trial.trialId, () => this.end(call.study, number, holder, trial));
    return create(kerasTunerService.EndTrialResponseSchema);
  }

  async getTrial({ trialId }: kerasTunerService.GetTrialRequest, { study }: OracleCall): Promise<kerasTunerService.GetTrialResponse> {
    return create(kerasTunerService.GetTrialResponseSchema, { trial: await this.trial(study, numberOf(trialId)) });
  }

  async getBestTrials({ numTrials }: kerasTunerService.GetBestTrialsRequest, { study }: OracleCall): Promise<kerasTunerService.GetBestTrialsResponse> {
    const stored = await this.tuner.get(study);
    const best = await this.tuner.store.bestTrials(study, Math.min(Math.max(0, Number(numTrials)), MAX_BEST));
    const trials = await Promise.all(best.map(({ trial }) => this.tuner.getTrial(study, trial.number)));
    return create(kerasTunerService.GetBestTrialsResponseSchema, { trials: trials.map(({ trial }) => toKerasTrial(stored.study, stored.spec, trial)) });
  }

  private async end(study: string, number: number, holder: string, trial: kerasTuner.Trial): Promise<void> {
    const stored = await this.tuner.get(study);
    const outcome = outcomeOf(stored, stored.study.pending.get(number), trial.status);
    try {
      await this.tuner.complete(study, number, holder, outcome, findingsOf(trial));
    } catch (e) {
      if (!(e instanceof SearchError)) throw e;
      this.logger.warn({ study, trial: number }, `the space of a worker does not fit: ${e.message}`);
      await this.tuner.complete(study, number, holder, { kind: 'FAILURE', error: `the worker's search space does not fit the study's: ${e.message}` }, NO_FINDINGS);
    }
  }

  private async trial(study: string, number: number): Promise<kerasTuner.Trial> {
    const stored = await this.tuner.get(study);
    const pending = stored.study.pending.get(number);
    return toKerasTrial(stored.study, stored.spec, pending ?? (await this.tuner.getTrial(study, number)).trial);
  }

  /** Who reports on a trial: the wire does not say, the connection does. @returns undefined when it is not the one who has the trial */
  private async reporterOf(number: number, { study, peer }: OracleCall): Promise<string | undefined> {
    const trial = (await this.tuner.get(study)).study.pending.get(number) ?? (await this.tuner.getTrial(study, number)).trial;
    const holder = isHeld(trial.state) ? trial.state.holder : trial.endedBy;
    if (holder === undefined) return undefined;
    const worker = workerOf(study, holder);
    const known = this.presence.workersOn(peer);
    if (known.has(worker)) return holder;
    // A worker that came back on a new connection has not said its name. It is the one who is missed, or who alone ever had the trial.
    const isReturn = ![...known].some((other) => other.startsWith(`${study} `)) && (trial.attempts <= 1 || !this.presence.isConnected(worker));
    if (!isReturn) return undefined;
    this.presence.introduced(peer, worker);
    return holder;
  }

  private async unlessLost(study: string, trialId: string, report: () => Promise<unknown>): Promise<void> {
    try {
      await report();
    } catch (e) {
      if (!(e instanceof TrackingError)) throw e;
      this.logger.info({ study, trial: trialId }, `a worker's report was dropped: ${e.message}`);
    }
  }
}

function numberOf(trialId: string): number {
  const number = fromKerasTrialId(trialId);
  if (number === undefined) throw new RpcError('NOT_FOUND', `"${trialId}" is not the id of a trial of this study`, { reason: 'NO_SUCH_TRIAL' });
  return number;
}

/** What a worker's run met. It tells values of parameters that were not active too. */
function findingsOf({ hyperparameters }: kerasTuner.Trial): Findings {
  const { space, values } = fromHyperParameters(hyperparameters);
  return { parameters: space, values: activeValues(space, values) };
}

/** KerasTuner's statuses. A trial without a finite score is INVALID, as is one whose run raised an error: it may be tried again. */
function outcomeOf({ study }: StoredStudy, trial: TrackedTrial | undefined, status: kerasTuner.TrialStatus): TrialOutcome {
  switch (status) {
    case TrialStatus.COMPLETED: {
      if (!trial) return { kind: 'SUCCESS', metrics: undefined };
      const scoring = scoresOf(trial.measurements, study.objectives);
      return scoring.kind === 'SCORED' ? { kind: 'SUCCESS', metrics: undefined } : { kind: 'FAILURE', error: scoring.why };
    }
    case TrialStatus.FAILED: return { kind: 'INFEASIBLE', reason: 'the worker raised FailedTrialError: its log says why' };
    case TrialStatus.UNKNOWN:
    case TrialStatus.RUNNING:
    case TrialStatus.IDLE:
    case TrialStatus.INVALID:
    case TrialStatus.STOPPED: return { kind: 'FAILURE', error: `the run of the trial raised an error (status ${TrialStatus[status]}): the worker's log says which` };
  }
}
