import { sql, type CompiledQuery, type QueryExecutorProvider, type QueryResult, type RawBuilder } from 'kysely';

/** Rows of one statement: databases bound how many values it may have. */
const MAX_ROWS = 64;

/** SQL of which only the values change from one run to the next: it is built and compiled once for each number of values. */
export class CompiledStatement {
  private readonly bySize = new Map<number, CompiledQuery>();

  /** @param build of the values, used once each and in their order */
  constructor(private readonly build: (values: readonly unknown[]) => RawBuilder<unknown>) {}

  run(query: QueryExecutorProvider, values: readonly unknown[]): Promise<QueryResult<unknown>> {
    const compiled = this.bySize.get(values.length) ?? this.compile(query, values);
    return query.getExecutor().executeQuery({ ...compiled, parameters: values });
  }

  private compile(query: QueryExecutorProvider, values: readonly unknown[]): CompiledQuery {
    const compiled = this.build(values).compile(query);
    this.bySize.set(values.length, compiled);
    return compiled;
  }
}

/**
 * A statement over rows of values, `(a, b), (c, d)`, many with one run, in their order.
 *
 * Rows are cut into powers of two: there are as few statements as that allows, and as few different ones.
 */
export class RowsStatement<Row> {
  private readonly statement: CompiledStatement;

  /**
   * @param columns of a row, in the order in which its values stand
   * @param build the statement around the rows
   */
  constructor(private readonly columns: readonly (keyof Row & string)[], build: (rows: RawBuilder<unknown>) => RawBuilder<unknown>) {
    this.statement = new CompiledStatement((values) => {
      const rows = Array.from({ length: values.length / columns.length }, (_, i) => sql`(${sql.join(values.slice(i * columns.length, (i + 1) * columns.length))})`);
      return build(sql.join(rows));
    });
  }

  /** @returns how many rows of the database it has changed */
  async run(query: QueryExecutorProvider, rows: readonly Row[]): Promise<bigint> {
    let changed = 0n;
    for (let at = 0; at < rows.length;) {
      const count = Math.min(MAX_ROWS, 2 ** Math.floor(Math.log2(rows.length - at)));
      const { numAffectedRows } = await this.statement.run(query, rows.slice(at, at + count).flatMap((row) => this.columns.map((column) => row[column])));
      changed += numAffectedRows ?? 0n;
      at += count;
    }
    return changed;
  }
}

/** Inserts rows of these columns. */
export class InsertStatement<Row> extends RowsStatement<Row> {
  /** @param suffix what follows the values: on conflict ... */
  constructor(table: string, columns: readonly (keyof Row & string)[], suffix = '') {
    super(columns, (rows) => sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))}) values ${rows} ${sql.raw(suffix)}`);
  }
}
