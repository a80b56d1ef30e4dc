/** The rpcs about trials: translates requests, checks them, answers. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  CheckStopResponseSchema, EnqueueTrialRequestSchema, EnqueueTrialResponseSchema, HeartbeatResponseSchema, ImportTrialsRequestSchema, ImportTrialsResponseSchema,
  ListBestTrialsResponseSchema, ListTrialsResponseSchema, ReportMeasurementResponseSchema, SuggestTrialsResponseSchema,
  type CompleteTrialRequest, type Measurement, type SuggestTrialsResponse, type TunerService,
} from '@lockstep/contract';
import { paretoFront, toTrialRecord, trialName, type TrackedMeasurement, type TrialOutcome, type Violation } from '@lockstep/search';
import type { ServiceImplementation } from '@lockstep/rpc';
import { cutPage } from '@lockstep/storage';
import { fromParameters } from '../convert/space-proto';
import { toStudyMessage } from '../convert/study-proto';
import { fromMetrics, toStoredTrialMessage, toTrialMessage } from '../convert/trial-proto';
import { fromParameterValues } from '../convert/value-proto';
import type { StoredTrial } from '../store/study-store';
import type { RequestMark, Tuner } from '../study/tuner';
import { foreignTrials } from './foreign-trials';
import { checkFurther } from './further-parameters';
import { RequestCheck } from './request-check';
import { requestDigest } from './request-digest';

type TrialRpcs = 'suggestTrials' | 'reportMeasurement' | 'checkStop' | 'completeTrial' | 'heartbeat' | 'getTrial' | 'listTrials' | 'listBestTrials' | 'enqueueTrial' | 'importTrials';

const MAX_COUNT = 100;
const MAX_WAIT_MS = 60_000;
const DEFAULT_WAIT_MS = 20_000;
const MAX_METRICS = 1000;
const MAX_BEST = 1000;
/** Of a reason or an error: the rest is in the client's log. */
const MAX_TEXT_LENGTH = 8000;

export function trialServicer(tuner: Tuner): Pick<ServiceImplementation<typeof TunerService>, TrialRpcs> {
  return {
    suggestTrials: async (request, { signal }) => {
      const check = new RequestCheck();
      const name = check.studyName('parent', request.parent);
      const client = check.clientId(request.clientId);
      const count = check.count('count', request.count, 1, MAX_COUNT);
      const waitMs = check.duration('max_wait', request.maxWait, MAX_WAIT_MS) ?? DEFAULT_WAIT_MS;
      check.done();
      const asked = await tuner.ask(name, client, count, waitMs, signal);
      return create(SuggestTrialsResponseSchema, { outcome: await outcomeOf(tuner, name, asked) });
    },
    reportMeasurement: async (request) => {
      const check = new RequestCheck();
      const { study, number } = check.trialName('trial', request.trial);
      const client = check.clientId(request.clientId);
      const measurement = fromMeasurement(request.measurement, check.violations);
      check.done();
      const stop = await tuner.measure(study, number, client, () => measurement);
      return create(ReportMeasurementResponseSchema, stop === undefined ? {} : { stop });
    },
    checkStop: async (request) => {
      const check = new RequestCheck();
      const { study, number } = check.trialName('trial', request.trial);
      const client = check.clientId(request.clientId);
      check.done();
      const stop = await tuner.checkStop(study, number, client);
      return create(CheckStopResponseSchema, stop === undefined ? {} : { stop });
    },
    completeTrial: async (request) => {
      const check = new RequestCheck();
      const { study, number } = check.trialName('trial', request.trial);
      const client = check.clientId(request.clientId);
      const outcome = fromOutcome(request.outcome, check.violations);
      const findings = { parameters: fromParameters(request.parameters, 'parameters', check.violations), values: fromParameterValues(request.values, 'values', check.violations) };
      check.done();
      await checkFurther(tuner, study, findings.parameters);
      const trial = await tuner.complete(study, number, client, outcome, findings);
      return toTrialMessage((await tuner.get(study)).study, trial);
    },
    heartbeat: async (request) => {
      const check = new RequestCheck();
      const name = check.studyName('parent', request.parent);
      const client = check.clientId(request.clientId);
      check.done();
      return create(HeartbeatResponseSchema, { trials: (await tuner.heartbeat(name, client)).map((number) => trialName({ name }, number)) });
    },
    getTrial: async (request) => {
      const check = new RequestCheck();
      const { study: name, number } = check.trialName('name', request.name);
      check.done();
      return toStoredTrialMessage((await tuner.get(name)).study, await tuner.getTrial(name, number));
    },
    listTrials: async (request) => {
      const check = new RequestCheck();
      const name = check.studyName('parent', request.parent);
      const query = { rpc: 'ListTrials', parent: name };
      const { size, after } = check.page(query, request);
      check.done();
      const { study } = await tuner.get(name);
      const rows = await tuner.store.listTrials(name, { from: after === undefined ? 0 : after + 1, limit: size + 1, measurements: false });
      const page = cutPage(query, rows, size, ({ trial }) => trial.number);
      return create(ListTrialsResponseSchema, { trials: page.rows.map((row) => toStoredTrialMessage(study, row)), nextPageToken: page.nextPageToken });
    },
    listBestTrials: async (request) => {
      const check = new RequestCheck();
      const name = check.studyName('parent', request.parent);
      const { study } = await tuner.get(check.violations.length === 0 ? name : refuse(check));
      const isSingle = study.objectives.length === 1;
      const count = check.count('count', request.count, isSingle ? 1 : MAX_BEST, MAX_BEST);
      check.done();
      const best = await bestOf(tuner, name, count);
      return create(ListBestTrialsResponseSchema, { trials: best.map((row) => toStoredTrialMessage(study, row)) });
    },
    enqueueTrial: async (request) => {
      const check = new RequestCheck();
      const name = check.studyName('parent', request.parent);
      const values = fromParameterValues(request.values, 'values', check.violations);
      const mark = markOf(check.requestId(request.requestId), () => requestDigest(EnqueueTrialRequestSchema, request));
      check.done();
      return create(EnqueueTrialResponseSchema, { enqueued: await tuner.enqueue(name, values, mark) });
    },
    importTrials: async (request) => {
      const check = new RequestCheck();
      const name = check.studyName('parent', request.parent);
      const mark = markOf(check.requestId(request.requestId), () => requestDigest(ImportTrialsRequestSchema, request));
      check.done();
      const { skipped, ...history } = foreignTrials(request.source, (await tuner.get(name)).study);
      const imported = await tuner.import(name, history, mark);
      return create(ImportTrialsResponseSchema, { trials: imported.numbers.map((number) => trialName({ name }, number)), skipped: [...skipped, ...imported.skipped] });
    },
  };
}

async function outcomeOf(tuner: Tuner, name: string, asked: Awaited<ReturnType<Tuner['ask']>>): Promise<SuggestTrialsResponse['outcome']> {
  switch (asked.kind) {
    case 'TRIALS': {
      const { study } = await tuner.get(name);
      return { case: 'suggested', value: { $typeName: 'lockstep.tuner.v1.SuggestedTrials', trials: asked.trials.map((trial) => toTrialMessage(study, trial)), lease: durationFromMs(study.rules.leaseMs) } };
    }
    case 'NOTHING_YET': return { case: 'nothingYet', value: { $typeName: 'lockstep.tuner.v1.NothingYet', detail: asked.detail } };
    case 'OVER': return { case: 'over', value: { $typeName: 'lockstep.tuner.v1.StudyOver', study: toStudyMessage(await tuner.get(name)) } };
  }
}

async function bestOf(tuner: Tuner, name: string, count: number): Promise<readonly StoredTrial[]> {
  const { study } = await tuner.get(name);
  if (study.objectives.length === 1) return tuner.store.bestTrials(name, count);
  const all = await tuner.store.bestTrials(name, Number.MAX_SAFE_INTEGER);
  const front = new Set(paretoFront(all.map(({ trial }) => toTrialRecord(trial)), study.objectives).map(({ number }) => number));
  return all.filter(({ trial }) => front.has(trial.number)).slice(0, count);
}

function fromMeasurement(measurement: Measurement | undefined, violations: Violation[]): TrackedMeasurement {
  if (!measurement) {
    violations.push({ field: 'measurement', description: 'is required' });
    return { epoch: 0, execution: 0, metrics: new Map() };
  }
  const { epoch, execution, metrics } = measurement;
  if (metrics.length === 0) violations.push({ field: 'measurement.metrics', description: 'is required: at least one metric' });
  if (metrics.length > MAX_METRICS) violations.push({ field: 'measurement.metrics', description: `${metrics.length} metrics, at most ${MAX_METRICS}` });
  return { epoch, execution, metrics: fromMetrics(metrics, 'measurement.metrics', violations) };
}

function fromOutcome(outcome: CompleteTrialRequest['outcome'], violations: Violation[]): TrialOutcome {
  switch (outcome.case) {
    case 'success': return { kind: 'SUCCESS', metrics: outcome.value.metrics.length === 0 ? undefined : fromMetrics(outcome.value.metrics, 'success.metrics', violations) };
    case 'infeasible': return { kind: 'INFEASIBLE', reason: cut(outcome.value.reason) };
    case 'failure': return { kind: 'FAILURE', error: cut(outcome.value.error) };
    case undefined:
      violations.push({ field: 'outcome', description: 'is required: success, infeasible or failure' });
      return { kind: 'FAILURE', error: '' };
  }
}

const cut = (text: string): string => (text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}...` : text);

const markOf = (id: string | undefined, digest: () => string): RequestMark | undefined => (id === undefined ? undefined : { id, digest: digest() });

function refuse(check: RequestCheck): never {
  check.done();
  throw new Error('a faulty request passed its check');
}
