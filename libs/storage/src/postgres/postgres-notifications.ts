/**
 * Notifications between processes by PostgreSQL's LISTEN and NOTIFY.
 *
 * 1. NOTIFY goes with its transaction: the server sends it when that is committed, to this process too.
 * 2. One connection listens for the whole process, from the first listener on. When it is lost it is made anew, and then everybody is woken up: nobody knows
 *    what was missed.
 * 3. Should a notification be lost all the same (a proxy that does not pass them on), listeners wake up by themselves after a while.
 */
import { sql } from 'kysely';
import { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { EventSignal } from '../event-signal';
import type { Listener, Notifications, NotifyingTransaction } from '../notifications';
import type { PostgresSettings } from './postgres-settings';

const CHANNEL = 'lockstep';
const RECONNECT_MS = 200;

/** The server takes less than 8,000 bytes; a longer topic wakes everybody up. */
const MAX_PAYLOAD_BYTES = 4_000;
const EVERYBODY = '';

export class PostgresNotifications implements Notifications {
  private readonly signal = new EventSignal();
  private readonly closing = new AbortController();
  private listening: Promise<void> | undefined;

  constructor(private readonly settings: PostgresSettings) {}

  async notify(transaction: NotifyingTransaction, topic: string): Promise<void> {
    const payload = Buffer.byteLength(topic) > MAX_PAYLOAD_BYTES ? EVERYBODY : topic;
    await sql`select pg_notify(${CHANNEL}, ${payload})`.execute(transaction.query);
    await this.signal.notify(transaction, topic); // This process need not wait for the server's.
  }

  listen(topic: string, signal: AbortSignal, withinMs = this.settings.pollMs): Listener {
    this.listening ??= this.keepListening();
    return this.signal.listen(topic, signal, Math.min(withinMs, this.settings.pollMs));
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.listening;
  }

  private async keepListening(): Promise<void> {
    while (!this.closing.signal.aborted) {
      await this.listenOnce();
      await delay(RECONNECT_MS, undefined, { signal: this.closing.signal }).catch(() => undefined);
    }
  }

  /** Listens until the connection ends, for whatever reason: that is no failure, since listeners also wake up by themselves. */
  private async listenOnce(): Promise<void> {
    const { address, applicationName, connectTimeoutMs } = this.settings;
    const client = new Client({ connectionString: address.url, application_name: `${applicationName} listener`, keepAlive: true, connectionTimeoutMillis: connectTimeoutMs });
    const ended = new Promise<void>((resolve) => {
      client.once('error', () => resolve());
      client.once('end', () => resolve());
    });
    // The first one resolves `ended`; those after it must not end the process.
    client.on('error', () => undefined);
    client.on('notification', ({ payload = EVERYBODY }) => (payload === EVERYBODY ? this.signal.wakeAll() : this.signal.wake(payload)));
    const leave = (): void => void client.end().catch(() => undefined);
    this.closing.signal.addEventListener('abort', leave, { once: true });
    try {
      // One that is ended while it connects says so by its end alone: connecting never comes to anything then.
      const isThere = await Promise.race([client.connect().then(() => client.query(`listen ${CHANNEL}`)).then(() => true), ended.then(() => false)]);
      if (isThere) {
        this.signal.wakeAll();
        await ended;
      }
    } catch {
      // Away: the caller tries again.
    } finally {
      this.closing.signal.removeEventListener('abort', leave);
      await client.end().catch(() => undefined);
    }
  }
}
