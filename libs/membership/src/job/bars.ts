/** Workers that a job does not take for a while, because of what they did to it: it would be likely to happen again at once. */
import type { JobState } from './job-state';

/** A worker that is kept out. */
export interface Bar {
  readonly worker: string;
  /** How often it has been kept out: each time for longer. */
  readonly times: number;
  /** It is welcome again from then on; null: never again in this job. */
  readonly untilMs: number | null;
}

/** LATER: what it did may pass, as a partition or a swapping machine does. NEVER: it would do it again. */
export type Return = 'LATER' | 'NEVER';

const FIRST_BAR_MS = 60_000;
const MAX_BAR_MS = 3_600_000;

/** Keeps workers out: the first time for a minute, then twice as long each time, up to an hour. */
export function keepOut(bars: readonly Bar[], workers: readonly string[], back: Return, nowMs: number): readonly Bar[] {
  const added = workers.map((worker): Bar => {
    const times = 1 + (bars.find((bar) => bar.worker === worker)?.times ?? 0);
    return { worker, times, untilMs: back === 'NEVER' ? null : nowMs + Math.min(MAX_BAR_MS, FIRST_BAR_MS * 2 ** (times - 1)) };
  });
  return [...bars.filter(({ worker }) => !workers.includes(worker)), ...added];
}

const holds = ({ untilMs }: Bar, nowMs: number): boolean => untilMs === null || nowMs < untilMs;

/** Bars whose time was told by another clock end now; how often they were needed is kept. */
export const liftTimed = (bars: readonly Bar[], nowMs: number): readonly Bar[] => bars.map((bar) => (bar.untilMs !== null && holds(bar, nowMs) ? { ...bar, untilMs: nowMs } : bar));

/** Workers that a job does not take now, neither to start nor to grow. */
export const barredWorkers = (state: JobState, nowMs: number): readonly string[] =>
  ('barred' in state ? state.barred.filter((bar) => holds(bar, nowMs)).map(({ worker }) => worker) : []);
