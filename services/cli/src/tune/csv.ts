/** A study's trials as CSV (RFC 4180): one row a trial, in the order of suggestion. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { objectivesOf, spaceOf, trialNumber } from '@lockstep/client';
import { Origin, type Study, type Trial } from '@lockstep/contract';
import type { Value } from '@lockstep/search';
import { stateMessage, trialValues } from './format-trial';

const LINE_END = '\r\n';
const FIELDS = ['trial', 'state', 'origin', 'attempts', 'iteration', 'bracket', 'round', 'initial_epoch', 'epochs', 'parent', 'job', 'checkpoint', 'create_time', 'end_time', 'message'] as const;

/**
 * The text of a table with a head: what is known of each trial, then `objective.<metric>` for each objective, then `parameter.<name>` for each
 * name of the space. What a trial does not have is left empty. Numbers have all their digits.
 */
export function studyCsv({ spec }: Pick<Study, 'spec'>, trials: readonly Trial[]): string {
  const metrics = objectivesOf(spec).map(({ metric }) => metric);
  // Parameters of one name under different conditions are one column.
  const names = [...new Set([...spaceOf(spec).map(({ name }) => name), ...trials.flatMap((trial) => trial.values.map(({ name }) => name))])];
  const head = [...FIELDS, ...metrics.map((metric) => `objective.${metric}`), ...names.map((name) => `parameter.${name}`)];
  const rows = trials.map((trial) => {
    const values = trialValues(trial);
    const scores = trial.state.case === 'succeeded' ? trial.state.value.scores : [];
    const facts = factsOf(trial);
    return [...FIELDS.map((field) => facts[field]), ...metrics.map((_, i) => text(scores[i])), ...names.map((name) => text(values.get(name)))];
  });
  return [head, ...rows].map((row) => row.map(quoted).join(',') + LINE_END).join('');
}

function factsOf(trial: Trial): Readonly<Record<(typeof FIELDS)[number], string>> {
  const { rung, job, checkpoint, attempts, createTime, endTime } = trial;
  return {
    trial: String(trialNumber(trial.name)), state: (trial.state.case ?? 'requested').toUpperCase(), origin: Origin[trial.origin], attempts: String(attempts),
    iteration: text(rung?.iteration), bracket: text(rung?.bracket), round: text(rung?.round), initial_epoch: text(rung?.initialEpoch), epochs: text(rung?.epochs),
    parent: rung === undefined || rung.parent === '' ? '' : String(trialNumber(rung.parent)), job, checkpoint,
    create_time: createTime ? new Date(timestampMs(createTime)).toISOString() : '', end_time: endTime ? new Date(timestampMs(endTime)).toISOString() : '', message: stateMessage(trial),
  };
}

const text = (value: Value | undefined): string => (value === undefined ? '' : String(value));

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
