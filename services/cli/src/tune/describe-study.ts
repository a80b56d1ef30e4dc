import { timestampMs } from '@bufbuild/protobuf/wkt';
import { toHistory, trialNumber } from '@lockstep/client';
import type { Study, Trial } from '@lockstep/contract';
import { parameterImportance, type Parameter, type StudyHistory } from '@lockstep/search';
import { formatNumber, type Output } from '../output';
import { printable } from '../terminal-text';
import { bestFirst, unbeaten } from './best-first';
import { formatRung, formatScores, formatValue, formatValues, stateMessage, trialValues } from './format-trial';
import { showBest } from './show-best';
import { studyDetail, studyState, studySummary } from './study-summary';

const LABEL_WIDTH = 12;
const PERCENT = 100;
/** Of a choice, so many values are listed. */
const MAX_LISTED = 8;
/** Of the trials that no other beats, so many are shown. */
const MAX_FRONT = 10;

/** A study for people: its search, its space with what matters in it, its best trial. @param trials all of the study's */
export function describeStudy(study: Study, trials: readonly Trial[], listTrials: boolean, output: Output): void {
  const say = (label: string, value: string): void => output.line(`${label.padEnd(LABEL_WIDTH)}${printable(value)}`);
  const { spec, createTime } = study;
  const history = toHistory(study, trials);
  say('study', study.name);
  say('state', [studyState(study), studyDetail(study)].filter((part) => part !== '').join(': '));
  if (createTime) say('created', new Date(timestampMs(createTime)).toISOString().replace('T', ' ').slice(0, 19));
  say('search', studySummary(study));
  say('seed', String(spec?.seed ?? 0n));
  const template = spec?.jobs?.template;
  if (template) {
    say('module', `${template.module} (${template.function === '' ? 'tunerFn' : template.function})`);
    say('examples', template.examples.join(', '));
    say('trials as', `jobs on ${template.workers?.min ?? 1} to ${template.workers?.max ?? 1} workers, ${spec?.maxParallelTrials ?? 1} at once; checkpoints in ${template.output}`);
  }
  const { requested = 0, running = 0, succeeded = 0, infeasible = 0, failed = 0, cancelled = 0 } = study.trials ?? {};
  say('trials', `${succeeded} succeeded, ${running} running, ${requested} requested, ${infeasible} infeasible, ${failed} failed, ${cancelled} cancelled; ${spec?.maxTrials === undefined ? 'no limit but the algorithm\'s' : `at most ${spec.maxTrials}`}`);
  const importance = parameterImportance(history);
  output.line();
  output.table(['parameter', 'what', 'importance'], history.space.map((parameter) => {
    const share = importance.kind === 'KNOWN' ? importance.shares.find((each) => each.parameter === parameter)?.share : undefined;
    return [printable(parameter.name), describeParameter(parameter), share === undefined ? '?' : `${Math.round(share * PERCENT)} %`];
  }));
  if (importance.kind === 'UNKNOWN') output.line(`importance is not known: ${importance.why}`);
  if (history.objectives.length > 1) describeFront(study, trials, history, output);
  const [best] = bestFirst(history);
  if (history.objectives.length === 1 && best?.state.kind === 'SUCCEEDED') {
    output.line();
    say('best', `trial ${best.number}: ${formatScores(best.state.scores)}`);
    for (const [name, value] of best.values) say('', `${name} ${formatValue(value)}`);
  }
  if (!listTrials) return;
  output.line();
  output.table(['trial', 'state', 'score', 'rung', 'values', 'message'], trials.map((trial) => [
    String(trialNumber(trial.name)), trial.state.case ?? 'requested', trial.state.case === 'succeeded' ? formatScores(trial.state.value.scores) : '', formatRung(trial.rung), formatValues(trialValues(trial)), printable(stateMessage(trial)),
  ]));
}

/** With several objectives there is no best trial. */
function describeFront(study: Study, trials: readonly Trial[], history: StudyHistory, output: Output): void {
  const front = unbeaten(history);
  if (front.length === 0) return;
  const shown = front.slice(0, MAX_FRONT);
  output.line();
  output.line(`no other trial beats ${front.length === 1 ? 'this one' : `these ${front.length}`} in every objective; best_hyperparameters.txt is of the first, which has KerasTuner's best sum of objectives`);
  showBest(study, shown.flatMap(({ number }) => trials[number] ?? []), output);
  if (shown.length < front.length) output.line(`and ${front.length - shown.length} more: lockstep studies best ${study.name.replace('studies/', '')}`);
}

function describeParameter(parameter: Parameter): string {
  const only = parameter.conditions.map(({ parent, values }) => `${printable(parent)} is ${values.map(formatValue).join(' or ')}`);
  return `${rangeOf(parameter)}${only.length === 0 ? '' : `, if ${only.join(' and ')}`}`;
}

function rangeOf(parameter: Parameter): string {
  switch (parameter.kind) {
    case 'FLOAT':
    case 'INT': {
      const { min, max, step, sampling } = parameter;
      const how = sampling === 'LINEAR' ? '' : `, ${sampling.toLowerCase().replace('_', ' ')}`;
      return `${parameter.kind.toLowerCase()} ${formatNumber(min)} to ${formatNumber(max)}${step === undefined || (parameter.kind === 'INT' && step === 1) ? '' : ` by ${formatNumber(step)}`}${how}`;
    }
    case 'CHOICE': {
      const shown = parameter.values.slice(0, MAX_LISTED).map(formatValue).join(', ');
      return `one of ${shown}${parameter.values.length > MAX_LISTED ? `, ... (${parameter.values.length})` : ''}`;
    }
    case 'BOOLEAN': return 'true or false';
    case 'FIXED': return `always ${formatValue(parameter.value)}`;
  }
}
