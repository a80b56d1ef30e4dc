import type { ExecutionArtifact, ExecutionSpec, ExecutionState, VersionName } from '@lockstep/versions';
import type { Kysely } from 'kysely';
import type { ArtifactSchema } from './schema';
import { readLabels, type PageOf } from './version-store';

/** A version in a role, with its type. */
export interface TypedArtifact extends ExecutionArtifact {
  readonly type: string;
}

/** An execution as it is kept. */
export interface ExecutionRecord extends Omit<ExecutionSpec, 'inputs'> {
  readonly id: string;
  readonly sequence: number;
  readonly state: ExecutionState;
  readonly createTimeMs: number;
  readonly inputs: readonly TypedArtifact[];
  /** In the order in which they were linked. */
  readonly outputs: readonly TypedArtifact[];
}

type Query = Kysely<ArtifactSchema>;
type LinkTable = 'execution_input' | 'execution_output';

/** Reads and writes of executions. */
export const executionStore = {
  async find(query: Query, id: string): Promise<ExecutionRecord | undefined> {
    const row = await query.selectFrom('execution').selectAll().where('id', '=', id).executeTakeFirst();
    return row && toRecord(query, row);
  },

  async findState(query: Query, id: string): Promise<ExecutionState | undefined> {
    const row = await query.selectFrom('execution').select(['state', 'detail', 'end_time_ms']).where('id', '=', id).executeTakeFirst();
    return row && toState(row);
  },

  /** Ids of running executions that read a version, oldest first. */
  async runningReaders(query: Query, { artifact, number }: VersionName, limit: number): Promise<readonly string[]> {
    const rows = await query.selectFrom('execution_input').innerJoin('execution', 'execution.id', 'execution_input.execution').select(['execution.id', 'execution.sequence']).distinct()
      .where('execution_input.artifact', '=', artifact).where('execution_input.number', '=', number).where('execution.state', '=', 'RUNNING').orderBy('execution.sequence').limit(limit).execute();
    return rows.map((row) => row.id);
  },

  /** Newest first. */
  async list(query: Query, filter: { readonly input?: VersionName; readonly output?: VersionName }, page: PageOf<number>): Promise<readonly ExecutionRecord[]> {
    let select = query.selectFrom('execution').selectAll().orderBy('sequence', 'desc').limit(page.limit);
    if (filter.input) select = select.where('id', 'in', linkedTo(query, 'execution_input', filter.input));
    if (filter.output) select = select.where('id', 'in', linkedTo(query, 'execution_output', filter.output));
    if (page.after !== undefined) select = select.where('sequence', '<', page.after);
    const records: ExecutionRecord[] = [];
    for (const row of await select.execute()) records.push(await toRecord(query, row));
    return records;
  },

  async insert(query: Query, id: string, spec: ExecutionSpec, createTimeMs: number): Promise<void> {
    await query.insertInto('execution').values({
      id, type: spec.type, spec_digest: spec.specDigest, labels: JSON.stringify(spec.labels), state: 'RUNNING', detail: '', create_time_ms: createTimeMs, end_time_ms: null,
    }).execute();
    for (const [position, { key, version }] of spec.inputs.entries()) {
      await query.insertInto('execution_input').values({ execution: id, position, key, ...version }).execute();
    }
  },

  async setState(query: Query, id: string, state: ExecutionState): Promise<void> {
    const end = state.kind === 'RUNNING' ? { detail: '', end_time_ms: null } : { detail: state.detail, end_time_ms: state.endTimeMs };
    await query.updateTable('execution').set({ state: state.kind, ...end }).where('id', '=', id).execute();
  },

  /** Links an output; @returns false when it was linked already */
  async linkOutput(query: Query, id: string, { key, version }: ExecutionArtifact): Promise<boolean> {
    const { count } = await query.selectFrom('execution_output').select((e) => e.fn.countAll<number>().as('count')).where('execution', '=', id).executeTakeFirstOrThrow();
    const { numInsertedOrUpdatedRows } = await query.insertInto('execution_output').values({ execution: id, position: count, key, ...version })
      .onConflict((c) => c.columns(['execution', 'key', 'artifact', 'number']).doNothing()).executeTakeFirstOrThrow();
    return (numInsertedOrUpdatedRows ?? 0n) > 0n;
  },
};

const linkedTo = (query: Query, table: LinkTable, { artifact, number }: VersionName) =>
  query.selectFrom(table).select('execution').where('artifact', '=', artifact).where('number', '=', number);

interface ExecutionRow {
  readonly sequence: number;
  readonly id: string;
  readonly type: string;
  readonly spec_digest: string;
  readonly labels: string;
  readonly state: string;
  readonly detail: string;
  readonly create_time_ms: number;
  readonly end_time_ms: number | null;
}

async function links(query: Query, table: LinkTable, id: string): Promise<readonly TypedArtifact[]> {
  const rows = await query.selectFrom(table).innerJoin('artifact', 'artifact.id', `${table}.artifact`)
    .select([`${table}.key`, `${table}.artifact`, `${table}.number`, 'artifact.type']).where(`${table}.execution`, '=', id).orderBy(`${table}.position`).execute();
  return rows.map(({ key, artifact, number, type }) => ({ key, version: { artifact, number }, type }));
}

async function toRecord(query: Query, row: ExecutionRow): Promise<ExecutionRecord> {
  return {
    id: row.id, sequence: row.sequence, type: row.type, specDigest: row.spec_digest, labels: readLabels(row.labels), state: toState(row), createTimeMs: row.create_time_ms,
    inputs: await links(query, 'execution_input', row.id), outputs: await links(query, 'execution_output', row.id),
  };
}

function toState({ state, detail, end_time_ms }: Pick<ExecutionRow, 'state' | 'detail' | 'end_time_ms'>): ExecutionState {
  if (state === 'RUNNING') return { kind: 'RUNNING' };
  if (state !== 'SUCCEEDED' && state !== 'FAILED' && state !== 'CANCELLED') throw new Error(`${state} is not the state of an execution`);
  return { kind: state, endTimeMs: end_time_ms ?? 0, detail };
}
