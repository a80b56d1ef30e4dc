import type { QueryExecutorProvider } from 'kysely';

/** What is needed of a transaction to notify with it, whatever its schema. */
export interface NotifyingTransaction {
  readonly query: QueryExecutorProvider;
  readonly afterCommit: (action: () => void) => void;
}

/** Waiting for one notification. */
export interface Listener {
  /** Resolves at the next notification of the topic, when the time is over, or when the signal aborts. It may also resolve for nothing. */
  readonly heard: Promise<void>;
  /** Stops listening; always called, or the listener stays. */
  stop(): void;
}

/**
 * Wakes up those who wait for news of a topic: in every process that has the database. A notification carries no data and
 * may come for nothing: who is woken up reads.
 */
export interface Notifications {
  /** Wakes up the topic's listeners when the transaction is durable; never after a rollback. */
  notify(transaction: NotifyingTransaction, topic: string): Promise<void>;
  /** @param withinMs wakes up after this long at the latest */
  listen(topic: string, signal: AbortSignal, withinMs?: number): Listener;
}
