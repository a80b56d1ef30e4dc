import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { PoolClient } from 'pg';
import { StorageError } from '../storage-error';
import { endsConnection, postgresFailure, type PostgresAct } from './postgres-failure';
import type { PostgresSettings } from './postgres-settings';

/** Commands that count rows. */
const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** What the driver's answer to a statement (or to several at once) is. */
interface Answer {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: unknown[];
}

type ConnectionState = { readonly kind: 'USABLE' } | { readonly kind: 'ENDED'; readonly cause: unknown };

/** Where connections come from. */
export interface ConnectionSource {
  /** Another one; waits for a server that is away. */
  anew(): Promise<PoolClient>;
  /** Makes room for the next who needs one. */
  giveBack(): void;
}

/** A connection that somebody has for a statement or a transaction. */
export class PostgresConnection implements DatabaseConnection {
  private state: ConnectionState = { kind: 'USABLE' };
  /** The first error tells why, those that follow that it is so. */
  private readonly onError = (cause: unknown): void => {
    if (this.state.kind === 'USABLE') this.state = { kind: 'ENDED', cause };
  };

  constructor(private client: PoolClient, private readonly settings: PostgresSettings, private readonly source: ConnectionSource) {
    this.use(client);
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.run(sql, parameters, 'STATEMENT');
    return { rows: rows as R[], ...(WRITES.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  /**
   * Begins a transaction, on another connection when this one has ended while it was idle: nothing was done yet.
   *
   * @param statements the beginning and whatever else goes with it, in one message
   */
  async begin(statements: string): Promise<void> {
    // After a restart of the server each idle connection may turn out to have ended.
    for (let attempt = 0; ; attempt++) {
      try {
        return void await this.run(statements, [], 'STATEMENT');
      } catch (e) {
        await this.rollback(); // The beginning may have succeeded and what followed failed.
        if (this.state.kind === 'USABLE' || attempt === this.settings.maxConnections) throw e;
      }
      this.leave();
      this.use(await this.source.anew());
    }
  }

  async commit(): Promise<void> {
    const { command } = await this.run('commit', [], 'COMMIT');
    if (command !== 'COMMIT') {
      const shown = this.settings.address.shown;
      throw new StorageError('IO', `a transaction on ${shown} was rolled back whole: one of its statements had failed, and its program went on as if it had not`, { server: shown });
    }
  }

  /** After the end of the connection there is nothing to roll back: the first error is the one that callers see. */
  async rollback(): Promise<void> {
    if (this.state.kind === 'USABLE') await this.run('rollback', [], 'STATEMENT');
  }

  release(): void {
    this.leave();
    this.source.giveBack();
  }

  private use(client: PoolClient): void {
    this.client = client;
    this.state = { kind: 'USABLE' };
    // Without a listener an error between two statements would end the process; the next statement meets it.
    client.on('error', this.onError);
  }

  /** Gives the connection back to the pool, which keeps it unless it has ended. */
  private leave(): void {
    this.client.off('error', this.onError);
    this.client.release(this.state.kind === 'ENDED');
  }

  private async run(sql: string, parameters: readonly unknown[], act: PostgresAct): Promise<Answer> {
    const { address: { shown } } = this.settings;
    // What was never sent, a commit too, the server rolls back.
    if (this.state.kind === 'ENDED') throw postgresFailure(this.state.cause, shown, 'STATEMENT');
    try {
      return await this.answer(sql, parameters);
    } catch (e) {
      if (endsConnection(e)) this.onError(e);
      throw postgresFailure(e, shown, act);
    }
  }

  private answer(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    const { answerTimeoutMs } = this.settings;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${answerTimeoutMs} ms`)), answerTimeoutMs);
      this.client.query(sql, [...parameters]).then(
        (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        (e: unknown) => {
          clearTimeout(timer);
          reject(e);
        },
      );
    });
  }
}
