/** Writes moves of studies, many with few statements. */
import { create, toBinary } from '@bufbuild/protobuf';
import { StudyEventSchema, StudySpecSchema } from '@lockstep/contract';
import { combined, isHeld, isOpen, type TrackedStudy, type TrackedTrial } from '@lockstep/search';
import { CompiledStatement, InsertStatement, type DatabaseTransaction, type EventLog, type NewEvent } from '@lockstep/storage';
import { sql } from 'kysely';
import { TunerError } from '../study/tuner-error';
import { encodeMeasurement, encodeSpace, encodeStudy, encodeTrial } from './json';
import type { TunerSchema } from './schema';
import type { NewStudyEvent, StoredStudy, StudyWrite } from './study-store';

type Transaction = DatabaseTransaction<TunerSchema>;
type TrialRow = TunerSchema['trial'];

export class MoveWriter {
  private readonly move = new CompiledStatement(([held, body, name]) => sql`update study set held = ${held}, body = ${body} where name = ${name}`);
  private readonly settle = new CompiledStatement(([held, body, spec, space, name]) => sql`update study set held = ${held}, body = ${body}, spec = ${spec}, space = ${space} where name = ${name}`);
  private readonly trials = new InsertStatement<TrialRow>('trial', ['study', 'number', 'pending', 'standing', 'body', 'create_ms', 'end_ms'],
    'on conflict (study, number) do update set pending = excluded.pending, standing = excluded.standing, body = excluded.body, end_ms = excluded.end_ms');
  private readonly measurements = new InsertStatement<Omit<TunerSchema['measurement'], 'order'>>('measurement', ['study', 'trial', 'attempt', 'body']);
  private readonly requests = new InsertStatement<TunerSchema['request']>('request', ['study', 'id', 'digest', 'answer']);

  constructor(private readonly log: EventLog) {}

  /** Stores moves of studies that are there. @throws TunerError STUDY_DELETED */
  async store(transaction: Transaction, writes: readonly StudyWrite[]): Promise<void> {
    for (const write of writes) {
      const { held, body } = movingColumns(write.study);
      const { name } = write.study;
      const told = write.changes.some((change) => change.kind === 'STUDY' && change.told);
      const { spec, space } = told ? settledColumns(write) : {};
      const { numAffectedRows } = await (told ? this.settle.run(transaction.query, [held, body, spec, space, name]) : this.move.run(transaction.query, [held, body, name]));
      if (numAffectedRows !== 1n) throw new TunerError('STUDY_DELETED', `${name} was deleted`, { resource: name });
    }
    await this.storeChanges(transaction, writes);
  }

  /** Stores what moves say beside the study itself. */
  async storeChanges(transaction: Transaction, writes: readonly StudyWrite[]): Promise<void> {
    const { query } = transaction;
    const rows = writes.map(rowsOf);
    // Of a trial that changes more than once in a commit the last row is kept.
    await this.trials.run(query, [...new Map(rows.flatMap(({ trials }) => trials.map((row) => [`${row.number} ${row.study}`, row] as const))).values()]);
    await this.measurements.run(query, rows.flatMap(({ measurements }) => measurements));
    await this.requests.run(query, writes.flatMap(({ study, requests }) => requests.map(({ id, digest, answer }) => ({ study: study.name, id, digest, answer }))));
    await this.log.append(transaction, writes.flatMap(({ study, events, nowMs }) => events.map((event) => loggedEvent(study.name, event, nowMs))));
  }
}

interface MoveRows {
  readonly trials: readonly TrialRow[];
  readonly measurements: readonly Omit<TunerSchema['measurement'], 'order'>[];
}

function rowsOf({ study, changes, nowMs }: StudyWrite): MoveRows {
  const trials = new Map<number, TrackedTrial>();
  const measurements: Omit<TunerSchema['measurement'], 'order'>[] = [];
  for (const change of changes) {
    if (change.kind === 'TRIAL') trials.set(change.trial.number, change.trial);
    if (change.kind === 'MEASURED') {
      const attempt = (study.pending.get(change.number) ?? trials.get(change.number))?.attempts ?? 0;
      measurements.push({ study: study.name, trial: change.number, attempt, body: encodeMeasurement(change.measurement) });
    }
  }
  return { trials: [...trials.values()].map((trial) => trialRow(study, trial, nowMs)), measurements };
}

/** What almost every move changes. */
export const movingColumns = (study: TrackedStudy): Pick<TunerSchema['study'], 'held' | 'body'> =>
  ({ held: [...study.pending.values()].some(({ state }) => isHeld(state)) ? 1 : 0, body: encodeStudy(study) });

/** What changes only when those who watch are told. */
export const settledColumns = ({ study, spec }: StoredStudy): Pick<TunerSchema['study'], 'spec' | 'space'> =>
  ({ spec: toBinary(StudySpecSchema, spec), space: encodeSpace(study.space) });

/** An event as the log takes it. */
export const loggedEvent = (study: string, event: NewStudyEvent, nowMs: number): NewEvent =>
  ({ subject: study, type: event.case, payload: toBinary(StudyEventSchema, create(StudyEventSchema, { event })), timeMs: nowMs });

function trialRow({ name, objectives }: TrackedStudy, trial: TrackedTrial, nowMs: number): TrialRow {
  const { state } = trial;
  const open = isOpen(state);
  return {
    study: name, number: trial.number, pending: open ? 1 : 0, standing: state.kind === 'SUCCEEDED' ? combined(state.scores, objectives) : null,
    body: encodeTrial(trial), create_ms: nowMs, end_ms: open ? null : nowMs,
  };
}
