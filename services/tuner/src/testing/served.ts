import { TunerClient, type CompleteOptions } from '@lockstep/client';
import type { StudySpecSchema, Trial } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createLogger, RpcError } from '@lockstep/rpc';
import { temporaryFolder } from '@lockstep/storage/testing';
import type { KerasListener } from '../config';
import type { Jobs } from '../jobs/jobs';
import type { ResultArtifacts } from '../jobs/results';
import { SqlStudyStore } from '../store/sql-study-store';
import { SuggestionThreads } from '../suggest/suggestion-threads';
import { startTunerService, type RunningTunerService } from '../tuner-service';

/** A tuner in this process, with a client of it. */
export interface Served {
  readonly folder: string;
  readonly service: RunningTunerService;
  readonly client: TunerClient;
  /** Moves the tuner's clock. */
  advance(ms: number): void;
  stop(): Promise<void>;
}

/** Serves a data folder, a fresh one by default, on a port that the system chooses. */
export async function serve({ folder = temporaryFolder(), kerasTuner = [], jobs, artifacts }: { readonly folder?: string; readonly kerasTuner?: readonly KerasListener[]; readonly jobs?: Jobs; readonly artifacts?: ResultArtifacts } = {}): Promise<Served> {
  const logger = createLogger('tuner-test', 'silent');
  const store = await SqlStudyStore.openFolder(folder, '0');
  const threads = new SuggestionThreads(1, logger);
  let ahead = 0;
  const service = await startTunerService({ listen: '127.0.0.1:0', kerasTuner, store, threads, ...(jobs && { jobs }), ...(artifacts && { artifacts }), logger, nowMs: () => Date.now() + ahead });
  const client = new TunerClient(service.server.address);
  return {
    folder, service, client,
    advance: (ms) => { ahead += ms; },
    stop: async () => {
      client.close();
      await service.server.drain(2000);
      await service.close();
      await threads.close();
      await store.close();
    },
  };
}

/** A small space: a float, an integer, a choice with a child. */
export const SPACE: Extract<NonNullable<MessageInitShape<typeof StudySpecSchema>['space']>, { case: 'searchSpace' }> = {
  case: 'searchSpace', value: { parameters: [
    { name: 'lr', kind: { case: 'floatRange', value: { min: 1e-4, max: 0.1, sampling: 2 } } },
    { name: 'units', kind: { case: 'intRange', value: { min: 32n, max: 512n, step: 32n } } },
    { name: 'optimizer', kind: { case: 'choice', value: { values: [{ kind: { case: 'stringValue', value: 'sgd' } }, { kind: { case: 'stringValue', value: 'adam' } }] } } },
    { name: 'momentum', conditions: [{ parent: 'optimizer', values: [{ kind: { case: 'stringValue', value: 'sgd' } }] }], kind: { case: 'floatRange', value: { min: 0, max: 1 } } },
  ] },
};

export const spec = (change: MessageInitShape<typeof StudySpecSchema> = {}): MessageInitShape<typeof StudySpecSchema> =>
  ({ space: SPACE, objectives: [{ metric: 'val_loss' }], algorithm: { case: 'randomSearch', value: {} }, seed: 42n, ...change });

/** Values of a trial as plain data. */
export const valuesOf = ({ values }: Trial): Readonly<Record<string, unknown>> => Object.fromEntries(values.map(({ name, value }) => [name, value?.kind.value]));

export const success = (loss: number): CompleteOptions => ({ outcome: { case: 'success', value: { metrics: [{ name: 'val_loss', value: loss }] } } });

/** The trials of an answer. */
export function suggested(outcome: Awaited<ReturnType<TunerClient['suggest']>>): readonly Trial[] {
  if (outcome.case === 'suggested') return outcome.value.trials;
  throw new Error(`the answer is ${outcome.case ?? 'empty'}`);
}

/** The one trial of an answer. */
export function first(outcome: Awaited<ReturnType<TunerClient['suggest']>>): Trial {
  const [trial] = suggested(outcome);
  if (!trial) throw new Error('no trial was suggested');
  return trial;
}

/** The error of a call. */
export async function failure(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call;
  } catch (e) {
    return RpcError.from(e);
  }
  throw new Error('the call succeeded');
}
