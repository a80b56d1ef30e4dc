/** Collective calls depend on what the calls before them returned, so that a wrong answer does not stay hidden. */
import { digestOf, type LoggedCall } from './training-state';
import type { Workload } from './workload';

/** Of a call's kind and arguments; some of them come from the result of the call before. */
export function callDigest(workload: Workload, finished: readonly LoggedCall[], number: number): string {
  return digestOf(JSON.stringify([workload.calls[number], finished[number - 1]?.result ?? 0]));
}

/** Learning rate of a fit: of the results of all calls before it. */
export function rateOf(finished: readonly LoggedCall[], number: number): number {
  const last = finished.slice(0, number).reduce((sum, { result }) => sum + Math.abs(result), 0);
  return Math.fround(0.01 + 0.01 * (last / (1 + last)));
}
