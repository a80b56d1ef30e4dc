/** A study's events as a person sees them: a live table on a terminal, a line for each event elsewhere. */
import { spaceOf, toMeasurement, toValues, trialNumber } from '@lockstep/client';
import { StudyEventSchema, type Study, type StudyEvent, type Trial } from '@lockstep/contract';
import { formatNumber, type Output } from '../output';
import { printable } from '../terminal-text';
import { formatRung, formatScores, formatValues, stateMessage, trialValues } from './format-trial';
import { StudyProgress } from './study-progress';
import { studyDetail, studyState, studySummary } from './study-summary';
import { studyTable } from './study-table';

/** The table is drawn at most so often: the past of a study comes as fast as it can be read. */
const REDRAW_MS = 100;

/** Draws the events of one study. */
export class StudyView {
  readonly progress = new StudyProgress();
  private drawnMs = -Infinity;
  /** What the tuner's clock is ahead of the local one; the table shows how long trials have been running. */
  private aheadMs = 0;
  /** What was last said of trials that have not ended: a trial is told again when its job or checkpoint is known. */
  private readonly said = new Map<string, string>();

  /** @param nowMs a clock that nobody sets */
  constructor(private readonly output: Output, private readonly nowMs: () => number) {}

  show(event: StudyEvent): void {
    this.output.message(StudyEventSchema, event);
    const before = this.progress.study;
    this.progress.apply(event);
    this.aheadMs = Math.max(this.aheadMs, this.progress.lastEventMs - this.nowMs());
    if (this.output.json) return;
    if (this.output.interactive) this.redraw();
    else for (const line of this.linesOf(event, before)) this.output.line(line);
  }

  /** Draws the table again, if it was not drawn just now: time goes on without events. */
  redraw(): void {
    if (this.nowMs() - this.drawnMs < REDRAW_MS) return;
    this.drawnMs = this.nowMs();
    this.output.redrawLines(studyTable(this.progress, this.output.rows - 1, this.nowMs() + this.aheadMs));
  }

  private linesOf({ event }: StudyEvent, before: Study | undefined): readonly string[] {
    switch (event.case) {
      case 'created': return [`${event.value.name} was made: ${printable(studySummary(event.value))}`];
      case 'updated': {
        const study = event.value;
        const grown = spaceOf(study.spec).length - spaceOf(before?.spec).length;
        if (study.state.case !== before?.state.case) return [`study      ${studyState(study)}${studyDetail(study) === '' ? '' : `: ${printable(studyDetail(study))}`}`];
        if (study.results && study.results.hyperparameters !== before?.results?.hyperparameters) return [`committed  ${study.results.hyperparameters}, ${study.results.results}`];
        return [`study      ${grown > 0 ? `has ${grown} more ${grown === 1 ? 'parameter' : 'parameters'}: ${printable(studySummary(study))}` : 'has other limits'}`];
      }
      case 'trialChanged': return this.linesOfTrial(event.value);
      case 'trialMeasured': {
        const { trial, measurement } = event.value;
        if (!measurement) return [];
        const { epoch, metrics } = toMeasurement(measurement);
        return [`${label(trialNumber(trial))} epoch ${epoch}    ${[...metrics].map(([name, value]) => `${printable(name)} ${formatNumber(value)}`).join('  ')}`];
      }
      case 'trialEnqueued': return [`enqueued   ${formatValues(toValues(event.value.values))}`];
      case 'deleted': return ['study      was deleted'];
      case undefined: return [];
    }
  }

  private linesOfTrial(trial: Trial): readonly string[] {
    const { name, state, job } = trial;
    const line = trialLine(trial);
    // It runs when its job does.
    const isWaiting = state.case === 'running' && job === '' && this.progress.spec?.jobs !== undefined;
    const isOpen = this.progress.openTrials.some((open) => open.trial.name === name);
    const before = this.said.get(name);
    if (isOpen) this.said.set(name, line);
    else this.said.delete(name);
    return isWaiting || line === before ? [] : [line];
  }
}

const label = (number: number): string => `trial ${number}`.padEnd(10);

function trialLine(trial: Trial): string {
  const { state, rung, job } = trial;
  const message = printable(stateMessage(trial));
  const parts = [
    (state.case ?? 'requested').padEnd(10),
    ...(state.case === 'succeeded' ? [formatScores(state.value.scores)] : []),
    ...(rung ? [`${formatRung(rung)}, epochs ${rung.initialEpoch + 1} to ${rung.epochs}`] : []),
    ...(state.case === 'running' && job !== '' ? [`as ${job}`] : []),
    ...(state.case === 'succeeded' || state.case === 'requested' || state.case === 'running' ? [formatValues(trialValues(trial))] : []),
    message,
  ];
  return `${label(trialNumber(trial.name))} ${parts.filter((part) => part !== '').join('  ')}`;
}
