import type { QueryExecutorProvider } from 'kysely';
import { EventLog, type EventTransaction, type LoggedEvent } from '../event-log';
import type { Notifications } from '../notifications';
import { rejection } from './rejection';

/** A database with the event table, as the log sees it. */
export interface EventLogFixture {
  readonly database: { readonly query: QueryExecutorProvider; readonly notifications: Notifications; transaction<T>(work: (t: EventTransaction) => Promise<T>): Promise<T> };
  close(): Promise<void>;
}

const event = (subject: string, text: string) => ({ subject, type: 'said', payload: Buffer.from(text), timeMs: 1_700_000_000_123 });
const textOf = (e: LoggedEvent): string => Buffer.from(e.payload).toString();

/** What an event log must do on every database; runs as tests of the file that calls it. */
export function eventLogContract(kind: string, make: () => Promise<EventLogFixture>): void {
  describe(`an event log on ${kind}`, () => {
    let fixture: EventLogFixture;
    let log: EventLog;
    beforeEach(async () => {
      fixture = await make();
      log = new EventLog(fixture.database);
    });
    afterEach(() => fixture.close());
    const say = (subject: string, ...texts: string[]): Promise<void> => fixture.database.transaction((t) => log.append(t, texts.map((text) => event(subject, text))));
    const sequencesOf = async (subject: string): Promise<readonly number[]> => (await log.read(subject, 0, 100)).map(({ sequence }) => sequence);

    test('events come back as they were written, in order, of their subject', async () => {
      await say('jobs/a', '1', '2');
      await say('jobs/b', 'other');
      await say('jobs/a', '3');
      const read = await log.read('jobs/a', 0, 10);
      expect(read.map((e) => [textOf(e), e.type, e.timeMs])).toEqual(['1', '2', '3'].map((text) => [text, 'said', 1_700_000_000_123]));
      expect(read[0]?.payload).toEqual(Uint8Array.from(Buffer.from('1')));
    });

    test('sequence numbers grow over all subjects', async () => {
      await say('a', '1');
      await say('b', '2');
      await say('a', '3');
      const [first, third] = await sequencesOf('a');
      const [second] = await sequencesOf('b');
      const all = [first, second, third].map(Number);
      expect(all).toEqual([...all].sort((x, y) => x - y));
      expect(new Set(all).size).toBe(3);
    });

    test('many events of one transaction are numbered in their order, also of several subjects', async () => {
      const texts = Array.from({ length: 201 }, (_, i) => String(i));
      await fixture.database.transaction((t) => log.append(t, texts.map((text, i) => event(i % 2 === 0 ? 'a' : 'b', text))));
      const read = [...await log.read('a', 0, 300), ...await log.read('b', 0, 300)].sort((x, y) => x.sequence - y.sequence);
      expect(read.map(textOf)).toEqual(texts);
      await fixture.database.transaction((t) => log.append(t, []));
      expect(await log.read('a', read.at(-1)?.sequence ?? 0, 10)).toEqual([]);
    });

    test('reading goes on after a sequence number, up to a limit', async () => {
      await say('a', '1', '2', '3', '4');
      const [, second] = await sequencesOf('a');
      expect((await log.read('a', second ?? 0, 1)).map(textOf)).toEqual(['3']);
      expect(await log.read('nobody', 0, 10)).toEqual([]);
    });

    test('an event of a transaction that was rolled back is not there', async () => {
      await rejection(fixture.database.transaction(async (t) => {
        await log.append(t, [event('a', 'never')]);
        throw new Error('on purpose');
      }));
      expect(await log.read('a', 0, 10)).toEqual([]);
    });

    test('a watcher sees the past, then what is committed while it waits, and resumes without loss', async () => {
      const stop = new AbortController();
      const total = 600; // More than a watcher reads at once.
      for (let i = 0; i < 300; i++) await say('a', String(i));
      const writing = (async () => {
        for (let i = 300; i < total; i++) await say(i % 3 === 0 ? 'noise' : 'a', String(i));
        await say('a', 'end');
      })();
      const texts: string[] = [];
      let after = 0;
      while (texts.at(-1) !== 'end') {
        let batch = 0;
        for await (const e of log.watch('a', after, stop.signal)) {
          texts.push(textOf(e));
          after = e.sequence;
          if (++batch === 101 || texts.at(-1) === 'end') break; // Leaves and resumes.
        }
      }
      await writing;
      const expected = Array.from({ length: total }, (_, i) => i).filter((i) => i < 300 || i % 3 !== 0).map(String);
      expect(texts).toEqual([...expected, 'end']);
      expect(log.watchers).toBe(0);
    });

    test('a watcher that waits ends when its signal aborts', async () => {
      const stop = new AbortController();
      const iterator = log.watch('quiet', 0, stop.signal);
      const next = iterator.next();
      await log.read('quiet', 0, 1);
      stop.abort();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(log.watchers).toBe(0);
    });
  });
}
