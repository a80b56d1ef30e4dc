import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { TunerService } from '@lockstep/contract';
import { implement, startServer, type Logger, type RpcError, type RunningServer } from '@lockstep/rpc';
import { isOutage } from '@lockstep/storage';
import type { KerasListener } from './config';
import { JobRunner } from './jobs/job-runner';
import type { Jobs } from './jobs/jobs';
import { publishResults, type ResultArtifacts } from './jobs/results';
import { NO_JOBS, studyJobs } from './jobs/study-jobs';
import { KerasServer } from './keras/keras-server';
import { logOutage } from './log-outage';
import { mapTunerError } from './map-error';
import { studyServicer } from './servicer/study-servicer';
import { trialServicer } from './servicer/trial-servicer';
import type { StudyStore } from './store/study-store';
import { Tuner } from './study/tuner';
import type { Threads } from './suggest/suggestion-threads';

export interface TunerServiceOptions {
  readonly listen: string;
  readonly kerasTuner: readonly KerasListener[];
  readonly store: StudyStore;
  readonly threads: Threads;
  /** The coordinator; without it studies are evaluated by clients alone. */
  readonly jobs?: Jobs;
  /** Where results are committed; without it they are not. */
  readonly artifacts?: ResultArtifacts;
  readonly logger: Logger;
  /** The time in milliseconds since 1970, from a clock that nobody sets. */
  readonly nowMs: () => number;
}

/** A running tuner. */
export interface RunningTunerService {
  readonly server: RunningServer;
  /** Where KerasTuner's workers are served, in the order of the options. */
  readonly kerasAddresses: readonly string[];
  /** Closes what the server works with; after its drain. */
  readonly close: () => Promise<void>;
}

/** How often leases are looked at. */
const TICK_MS = 250;
const ID_LETTERS = 'abcdefghjkmnpqrstvwxyz0123456789';
const ID_LENGTH = 8;

/** Serves the studies of a store. @throws RpcError UNAVAILABLE (ADDRESS_IN_USE) */
export async function startTunerService({ listen, kerasTuner, store, threads, jobs, artifacts, logger, nowMs }: TunerServiceOptions): Promise<RunningTunerService> {
  const tuner = new Tuner({ store, threads, nowMs, logger });
  await tuner.recover();
  const newId = (): string => Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
  const runner = jobs && new JobRunner({ tuner, store, jobs, logger, sleep: abortableSleep, publish: (name) => publishResults(name, { tuner, store, ...(artifacts && { artifacts }) }) });
  const implementation = { ...studyServicer(tuner, { nowMs, newId, jobs: jobs && runner ? studyJobs(jobs, runner) : NO_JOBS }), ...trialServicer(tuner) };
  const keras: KerasServer[] = [];
  try {
    for (const { listen: at, study } of kerasTuner) keras.push(await KerasServer.start({ listen: at, study, tuner, nowMs, logger }));
    const server = await startServer({ listen, logger, services: [implement(TunerService, implementation)], mapError: (e) => logged(logger, mapTunerError(e)) });
    await runner?.start();
    let ticking = false;
    const timer = setInterval(() => {
      // A database that is away answers late: one look at a time.
      if (ticking) return;
      ticking = true;
      tuner.tick().catch((e: unknown) => logOutage(logger, e, 'leases that ran out could not be stored; it is tried again')).finally(() => { ticking = false; });
    }, TICK_MS);
    return {
      server, kerasAddresses: keras.map(({ address }) => address),
      close: async () => {
        clearInterval(timer);
        await runner?.close();
        await Promise.all(keras.map((one) => one.close()));
      },
    };
  } catch (e) {
    await Promise.all(keras.map((one) => one.close()));
    throw e;
  }
}

/** Ends early when the signal aborts. */
const abortableSleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);

/** Failures of the machine, and not of a request, are the operator's business too. */
function logged(logger: Logger, error: RpcError | undefined): RpcError | undefined {
  const reason = error?.details.reason;
  if (error && isOutage(error.cause)) logger.warn({ reason }, error.message);
  else if (error && (reason === 'DISK_FULL' || error.code === 'DATA_LOSS' || error.code === 'INTERNAL')) logger.error({ reason, err: error.cause }, error.message);
  return error;
}
