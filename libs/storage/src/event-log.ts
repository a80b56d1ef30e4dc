/**
 * What happened, in order: the outbox of a service.
 *
 * 1. An event is written in the transaction that makes its change: there is both or neither.
 * 2. Sequence numbers grow over all events of a database and are never reused, so a reader that has seen n goes on after n.
 *    Transactions run one after another, whichever process they are of, so no smaller number appears after a larger one was seen.
 * 3. A watcher misses nothing: it reads the log, and waits only when the log has nothing newer. It outlives a restart of the database's server.
 */
import { sql, type QueryExecutorProvider } from 'kysely';
import { InsertStatement } from './compiled-statement';
import type { Migration } from './migration';
import type { Notifications, NotifyingTransaction } from './notifications';
import { readPatiently } from './patience';

/** An event to be written. */
export interface NewEvent {
  /** What the event is about, a resource name; readers follow one subject. */
  readonly subject: string;
  /** Kind of the event in the vocabulary of its service. */
  readonly type: string;
  readonly payload: Uint8Array;
  readonly timeMs: number;
}

/** An event as it was written. */
export interface LoggedEvent extends NewEvent {
  readonly sequence: number;
}

/** What the log needs of a transaction. */
export type EventTransaction = NotifyingTransaction;

/** The table; a service that logs events has this among its migrations. */
export const eventLogMigration: Migration = {
  name: 'event log',
  up: async (transaction, { sequence, bytes, integer }) => {
    await sql`create table event (
      sequence ${sequence}, subject text not null, type text not null, payload ${bytes} not null, time_ms ${integer} not null
    )`.execute(transaction);
    await sql`create index event_by_subject on event (subject, sequence)`.execute(transaction);
  },
};

interface EventRow {
  readonly sequence: number;
  readonly subject: string;
  readonly type: string;
  readonly payload: Uint8Array;
  readonly time_ms: number;
}

/** Events that a watcher reads at once. */
const WATCH_BATCH = 256;

const topicOf = (subject: string): string => `event:${subject}`;

export class EventLog {
  private waiting = 0;
  private readonly insert = new InsertStatement<Omit<EventRow, 'sequence'>>('event', ['subject', 'type', 'payload', 'time_ms']);

  /** @param database where the event table is */
  constructor(private readonly database: { readonly query: QueryExecutorProvider; readonly notifications: Notifications }) {}

  /** Writes events with the transaction, numbered in their order; watchers wake up when it commits. */
  async append(transaction: EventTransaction, events: readonly NewEvent[]): Promise<void> {
    await this.insert.run(transaction.query, events.map(({ subject, type, payload, timeMs }) => ({ subject, type, payload, time_ms: timeMs })));
    for (const subject of new Set(events.map((event) => event.subject))) await this.database.notifications.notify(transaction, topicOf(subject));
  }

  /** Events of a subject after a sequence number (0: from the first), oldest first. */
  async read(subject: string, afterSequence: number, limit: number): Promise<readonly LoggedEvent[]> {
    const { rows } = await sql<EventRow>`
      select sequence, subject, type, payload, time_ms from event where subject = ${subject} and sequence > ${afterSequence} order by sequence limit ${limit}
    `.execute(this.database.query);
    return rows.map(({ time_ms, ...row }) => ({ ...row, timeMs: time_ms }));
  }

  /** Events of a subject after a sequence number: those of the past, then new ones as they are committed, until the signal aborts. */
  async *watch(subject: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<LoggedEvent, void, undefined> {
    let last = afterSequence;
    this.waiting++;
    try {
      while (!signal.aborted) {
        // Listening begins before reading: what is committed in between is not missed.
        const listener = this.database.notifications.listen(topicOf(subject), signal);
        try {
          const events = await readPatiently(() => this.read(subject, last, WATCH_BATCH), signal) ?? [];
          for (const event of events) {
            yield event;
            last = event.sequence;
          }
          if (events.length === 0) await listener.heard;
        } finally {
          listener.stop();
        }
      }
    } finally {
      this.waiting--;
    }
  }

  /** How many watch now. */
  get watchers(): number {
    return this.waiting;
  }
}
