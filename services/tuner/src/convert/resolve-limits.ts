import { durationMs, type Duration } from '@bufbuild/protobuf/wkt';
import type { StudyLimits, Violation } from '@lockstep/search';

/** What a spec and an extension say alike about how much is tried. */
export interface GivenLimits {
  readonly maxTrials?: number | undefined;
  readonly maxTotalEpochs?: bigint | undefined;
  readonly maxDuration?: Duration | undefined;
}

/**
 * Limits of the wire; those that nobody can mean go into the violations.
 *
 * @param prefix of their fields: `spec.`
 * @param leftOut what it means to leave one out, for the fault
 */
export function resolveLimits({ maxTrials, maxTotalEpochs, maxDuration }: GivenLimits, prefix: string, leftOut: string, violations: Violation[]): Pick<StudyLimits, 'maxTrials' | 'maxEpochs' | 'maxDurationMs'> {
  const maxEpochs = maxTotalEpochs === undefined ? undefined : Number(maxTotalEpochs);
  const maxDurationMs = maxDuration && durationMs(maxDuration);
  if (maxTrials === 0) violations.push({ field: `${prefix}max_trials`, description: `must be at least 1: leave it out for ${leftOut}` });
  if (maxEpochs === 0) violations.push({ field: `${prefix}max_total_epochs`, description: `must be at least 1: leave it out for ${leftOut}` });
  if (maxDurationMs !== undefined && maxDurationMs <= 0) violations.push({ field: `${prefix}max_duration`, description: `${maxDurationMs / 1000} s: it must be longer than nothing; leave it out for ${leftOut}` });
  return { ...(maxTrials !== undefined && { maxTrials }), ...(maxEpochs !== undefined && { maxEpochs }), ...(maxDurationMs !== undefined && { maxDurationMs }) };
}
