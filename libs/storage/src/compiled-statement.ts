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
 * Inserts rows, many with one statement, in their order.
 *
 * Rows are cut into powers of two: there are as few statements as that allows, and as few different ones.
 */
export class InsertStatement<Row> {
  private readonly statement: CompiledStatement;
  private readonly columns: readonly (keyof Row & string)[];

  /** @param suffix what follows the values: on conflict ... */
  constructor(table: string, columns: readonly (keyof Row & string)[], suffix = '') {
    this.columns = columns;
    this.statement = new CompiledStatement((values) => {
      const rows = Array.from({ length: values.length / columns.length }, (_, i) => sql`(${sql.join(values.slice(i * columns.length, (i + 1) * columns.length))})`);
      return sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))}) values ${sql.join(rows)} ${sql.raw(suffix)}`;
    });
  }

  async run(query: QueryExecutorProvider, rows: readonly Row[]): Promise<void> {
    for (let at = 0; at < rows.length;) {
      const count = Math.min(MAX_ROWS, 2 ** Math.floor(Math.log2(rows.length - at)));
      await this.statement.run(query, rows.slice(at, at + count).flatMap((row) => this.columns.map((column) => row[column])));
      at += count;
    }
  }
}
