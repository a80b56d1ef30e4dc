/** Writes moves of studies, many with few statements. */
import { create, toBinary } from '@bufbuild/protobuf';
import { StudyEventSchema, StudySpecSchema } from '@lockstep/contract';
import { combined, isHeld, isOpen, type TrackedStudy, type TrackedTrial } from '@lockstep/search';
import { CompiledStatement, InsertStatement, RowsStatement, type DatabaseTransaction, type EventLog, type NewEvent } from '@lockstep/storage';
import { sql } from 'kysely';
import { TunerError } from '../study/tuner-error';
import { encodeMeasurement, encodeSpace, encodeStudy, encodeTrial } from './json';
import type { TunerSchema } from './schema';
import type { NewStudyEvent, StoredStudy, StudyWrite } from './study-store';

type Transaction = DatabaseTransaction<TunerSchema>;
type TrialRow = TunerSchema['trial'];

export class MoveWriter {
  /** Both databases name the columns of such rows so. PostgreSQL takes all of them to be text. */
  private readonly move = new RowsStatement<Pick<TunerSchema['study'], 'name' | 'held' | 'body'>>(['name', 'held', 'body'],
    (rows) => sql`update study set held = cast(moved.column2 as integer), body = moved.column3 from (values ${rows}) as moved where name = moved.column1`);
  private readonly settle = new CompiledStatement(([spec, space, name]) => sql`update study set spec = ${spec}, space = ${space} where name = ${name}`);
  private readonly trials = new InsertStatement<TrialRow>('trial', ['study', 'number', 'pending', 'standing', 'body', 'create_ms', 'end_ms'],
    'on conflict (study, number) do update set pending = excluded.pending, standing = excluded.standing, body = excluded.body, end_ms = excluded.end_ms');
  private readonly measurements = new InsertStatement<Omit<TunerSchema['measurement'], 'order'>>('measurement', ['study', 'trial', 'attempt', 'body']);
  private readonly requests = new InsertStatement<TunerSchema['request']>('request', ['study', 'id', 'digest', 'answer']);

  constructor(private readonly log: EventLog) {}

  /** Stores moves of studies that are there. @throws TunerError STUDY_DELETED */
  async store(transaction: Transaction, writes: readonly StudyWrite[]): Promise<void> {
    const { query } = transaction;
    const told = new Set(writes.filter(({ changes }) => changes.some((change) => change.kind === 'STUDY' && change.told)).map(({ study }) => study.name));
    // Of a study that moves more than once in a commit the last state is kept.
    const last = [...new Map(writes.map((write) => [write.study.name, write])).values()];
    const moved = last.map(({ study }) => ({ name: study.name, ...movingColumns(study) }));
    if (await this.move.run(query, moved) !== BigInt(moved.length)) throw deleted(moved);
    for (const write of last) {
      if (!told.has(write.study.name)) continue;
      const { spec, space } = settledColumns(write);
      await this.settle.run(query, [spec, space, write.study.name]);
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

/** Which one of several it was shows when they are committed one by one. */
function deleted([study, ...others]: readonly { readonly name: string }[]): TunerError {
  const name = study?.name ?? '';
  return new TunerError('STUDY_DELETED', others.length === 0 ? `${name} was deleted` : `${name}, or one of ${others.length} others, was deleted`, { resource: name });
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
