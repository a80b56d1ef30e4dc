/**
 * A study whose trials are jobs: a slot for each trial that runs at once, and each slot is a client of the study like any other.
 *
 * 1. Slots ask in turn and evaluate one trial at a time, so that with one slot the whole study follows from its seed.
 * 2. A slot has the same client id after a restart, and is given its trial again.
 * 3. What is away (coordinator, database) is waited for; the study stays as it is.
 */
import type { JobEvaluation } from '@lockstep/contract';
import type { Logger } from '@lockstep/rpc';
import type { Tuner } from '../study/tuner';
import { isLoss, TrialRun, type TrialRunParts } from './trial-run';

export interface StudyRunnerParts extends TrialRunParts {
  readonly tuner: TrialRunParts['tuner'] & Pick<Tuner, 'ask'>;
  readonly logger: Logger;
}

/** How long a slot waits for a suggestion before it asks again. */
const ASK_MS = 20_000;
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 15_000;

/** The client of a slot. */
export const slotClient = (slot: number): string => `jobs/slot-${slot}`;

/** Runs a study's trials until it is over, or the signal aborts: then its jobs go on without it. */
export async function runStudy(name: string, evaluation: JobEvaluation, slots: number, parts: StudyRunnerParts, leave: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: slots }, (_, slot) => runSlot(name, evaluation, slotClient(slot), parts, leave)));
}

async function runSlot(name: string, evaluation: JobEvaluation, client: string, parts: StudyRunnerParts, leave: AbortSignal): Promise<void> {
  const { tuner, sleep, logger } = parts;
  for (let pauseMs = PAUSE_MS; !leave.aborted;) {
    try {
      const asked = await tuner.ask(name, client, 1, ASK_MS, leave);
      switch (asked.kind) {
        case 'OVER': return;
        case 'NOTHING_YET': break;
        case 'TRIALS':
          for (const trial of asked.trials) await new TrialRun(parts, name, evaluation, trial, client, leave).run();
          break;
      }
      pauseMs = PAUSE_MS;
    } catch (e) {
      if (isLoss(e)) {
        if (!(await isThere(tuner, name))) return;
        continue;
      }
      if (leave.aborted) return;
      logger.warn({ err: e, study: name, client }, `what ${name} needs for its next trial is away: it is tried again in ${pauseMs} ms`);
      await sleep(pauseMs, leave);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  }
}

const isThere = (tuner: StudyRunnerParts['tuner'], name: string): Promise<boolean> => tuner.get(name).then(() => true, (e: unknown) => !isLoss(e));
