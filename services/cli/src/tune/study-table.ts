import { trialNumber } from '@lockstep/client';
import { formatSeconds, alignColumns } from '../output';
import { formatRung, formatScores, formatValues, trialValues } from './format-trial';
import type { OpenTrial, ScoredTrial, StudyProgress } from './study-progress';
import { studyState } from './study-summary';

/** Fewer lines than this hold no table: only the study's own line is shown then. */
const LEAST_LINES = 6;
/** Of the lines for trials, the share that running ones may take while there are others to show. */
const RUNNING_SHARE = 0.6;

const EPOCH_UNKNOWN = '-';

/**
 * A running study on a screen: its own line, trials that run, and the best ones.
 *
 * @param lines how many there is room for, at least 1
 * @param nowMs by the tuner's clock
 */
export function studyTable(progress: StudyProgress, lines: number, nowMs: number): readonly string[] {
  const head = headLine(progress);
  if (lines < LEAST_LINES) return [head];
  const { openTrials, best } = progress;
  // The head, the names of the columns, and a line for what did not fit.
  const room = lines - 3;
  const running = openTrials.filter(({ startedMs }) => startedMs !== undefined);
  const runningShown = running.slice(0, Math.max(room - best.length, Math.ceil(room * RUNNING_SHARE)));
  const bestShown = best.slice(0, room - runningShown.length);
  const objectives = progress.objectives.map(({ metric }) => metric).join(', ');
  const rows = [
    ['TRIAL', 'STATE', 'EPOCH', 'SCORE', 'RUNG', 'TIME', 'VALUES'],
    ...runningShown.map((trial) => openRow(trial, nowMs)),
    // With several objectives there is no best one.
    ...bestShown.map((trial, i) => scoredRow(trial, i === 0 && progress.objectives.length === 1)),
  ];
  const hidden = running.length - runningShown.length;
  return [head, ...alignColumns(rows), hidden > 0 ? `and ${hidden} more running; score: ${objectives}` : `score: ${objectives}`];
}

function headLine(progress: StudyProgress): string {
  const { study, openTrials, ended, outlook } = progress;
  if (!study) return 'waiting for the study';
  const running = openTrials.filter(({ startedMs }) => startedMs !== undefined).length;
  const { countedTrials, plannedTrials, remainingSeconds } = outlook;
  const counts = [
    `${countedTrials}${plannedTrials === undefined ? '' : `/${plannedTrials}`} trials`, `${running} running`, `${ended.succeeded} succeeded`,
    ...(ended.infeasible > 0 ? [`${ended.infeasible} infeasible`] : []), ...(ended.failed > 0 ? [`${ended.failed} failed`] : []), ...(ended.cancelled > 0 ? [`${ended.cancelled} cancelled`] : []),
  ];
  const eta = study.state.case === 'active' && remainingSeconds !== undefined ? `ETA ${formatSeconds(remainingSeconds)}` : '';
  return [study.name, studyState(study), ...counts, eta].filter((part) => part !== '').join('  ');
}

function openRow({ trial, startedMs, epoch, values }: OpenTrial, nowMs: number): readonly string[] {
  const { rung } = trial;
  const target = rung === undefined ? '' : `/${rung.epochs}`;
  return [
    String(trialNumber(trial.name)), trial.state.case ?? 'requested', epoch === 0 ? EPOCH_UNKNOWN : `${epoch}${target}`, formatScores(values), formatRung(rung),
    startedMs === undefined ? '' : formatSeconds(Math.max(0, nowMs - startedMs) / 1000), formatValues(trialValues(trial)),
  ];
}

function scoredRow({ trial, scores, durationMs }: ScoredTrial, isBest: boolean): readonly string[] {
  return [
    String(trialNumber(trial.name)), isBest ? 'best' : 'succeeded', trial.rung ? String(trial.rung.epochs) : '', formatScores(scores), formatRung(trial.rung),
    durationMs === undefined ? '' : formatSeconds(durationMs / 1000), formatValues(trialValues(trial)),
  ];
}
