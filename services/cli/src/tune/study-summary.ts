/** A study in words; names of metrics are as they were told: see `printable`. */
import { objectivesOf, spaceOf } from '@lockstep/client';
import type { Study } from '@lockstep/contract';

/** A study's state in a word. */
export const studyState = ({ state }: Study): string => (state.case === undefined ? 'unknown' : state.case);

/** Why a study is in its state. */
export function studyDetail({ state }: Study): string {
  switch (state.case) {
    case 'completed': return state.value.detail;
    case 'failed': return state.value.error;
    case 'stopped': return 'it was stopped';
    case 'active':
    case undefined: return '';
  }
}

/** `RandomSearch for val_acc (max), 3 parameters` */
export function studySummary({ spec }: Pick<Study, 'spec'>): string {
  const algorithm = spec?.algorithm.case;
  const objectives = objectivesOf(spec).map(({ metric, direction }) => `${metric} (${direction.toLowerCase()})`).join(' and ');
  const parameters = spaceOf(spec).length;
  return `${algorithm === undefined ? 'a study' : algorithm.charAt(0).toUpperCase() + algorithm.slice(1)} for ${objectives}, ${spec?.space.case === 'discovery' ? 'its space is told by the first trial' : `${parameters} ${parameters === 1 ? 'parameter' : 'parameters'}`}`;
}

/** True of a study whose results the tuner is still to commit: its trials were jobs, and some succeeded. */
export function awaitsResults({ spec, state, trials, results }: Study): boolean {
  if (!spec?.jobs || state.case === 'active' || !trials || trials.succeeded === 0) return false;
  const { requested, running, succeeded, infeasible, failed, cancelled } = trials;
  return results?.trials !== requested + running + succeeded + infeasible + failed + cancelled;
}
