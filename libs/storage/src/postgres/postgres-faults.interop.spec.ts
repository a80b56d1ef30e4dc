/** What is acknowledged and what is seen when the server, or a program that writes, dies or pauses. */
import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { sql } from 'kysely';
import { DatabaseError, EventLog, openPostgres, type Database } from '../index';
import { describeWithPostgres, rejection, sharedMigrations, startPostgres, type ContractSchema, type PostgresServer } from '../testing';
import type { LeaseReport } from '../testing/lease-process';
import { PostgresNotifications } from './postgres-notifications';
import { postgresSettings } from './postgres-settings';

const open = (url: string, transactionIdleTimeoutMs?: number) => openPostgres<ContractSchema>({
  url, service: 'test', programVersion: '1.0.0', migrations: sharedMigrations,
  connectTimeoutMs: 60_000, ...(transactionIdleTimeoutMs !== undefined && { transactionIdleTimeoutMs }),
});
const children = new Set<ChildProcess>();
const start = (program: string, ...args: readonly string[]): ChildProcess => {
  const child = fork(path.join(__dirname, '..', '..', 'dist', 'testing', `${program}.js`), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
};
const exited = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', (code) => resolve(code)));

describeWithPostgres('PostgreSQL, with faults', () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => { server = await startPostgres(); });
  afterAll(() => server.stop());
  beforeEach(async () => { url = await server.createDatabase(); });
  afterEach(() => { for (const child of children) child.kill('SIGKILL'); });

  /** Appends events named by number, one a transaction, `atOnce` at a time, until told to stop; says what became of each. */
  function load(database: Database<ContractSchema>, name: string, atOnce: number) {
    const log = new EventLog(database);
    const outcomes = { acknowledged: new Set<string>(), unknown: new Set<string>(), refused: new Set<string>() };
    const waiting = new Set<() => void>();
    let [next, going] = [0, true];
    const writer = async (): Promise<void> => {
      while (going) {
        const what = `${name} ${next++}`;
        try {
          await database.transaction((t) => log.append(t, [{ subject: 's', type: 'said', payload: Buffer.from(what), timeMs: 1 }]));
          outcomes.acknowledged.add(what);
          for (const wake of waiting) wake();
          waiting.clear();
        } catch (e) {
          if (!(e instanceof DatabaseError)) throw e;
          (e.failure === 'OUTCOME_UNKNOWN' ? outcomes.unknown : outcomes.refused).add(what);
        }
      }
    };
    const done = Promise.all(Array.from({ length: atOnce }, writer));
    return { outcomes, stop: async () => { going = false; await done; }, reached: async (count: number) => {
      while (outcomes.acknowledged.size < count) await new Promise<void>((resolve) => waiting.add(resolve));
    } };
  }
  const written = async (database: Database<ContractSchema>): Promise<readonly string[]> =>
    (await sql<{ payload: Uint8Array }>`select payload from event order by sequence`.execute(database.query)).rows.map((r) => Buffer.from(r.payload).toString());

  test.each<['killed' | 'restarted', () => Promise<void>]>([
    ['killed', async () => {
      server.kill();
      await server.restart();
    }],
    ['restarted', () => server.restart()],
  ])('a server that is %s under load keeps what it acknowledged and nothing that it refused; programs and watchers go on', async (_how, fault) => {
    const [one, two, reader] = [await open(url), await open(url), await open(url)];
    const watchedBy = new EventLog(reader);
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const e of watchedBy.watch('s', 0, stop.signal)) {
        seen.push(Buffer.from(e.payload).toString());
        if (seen.at(-1) === 'end') stop.abort();
      }
    })();
    const loads = [load(one, 'one', 4), load(two, 'two', 4)];
    for (let round = 1; round <= 3; round++) {
      const before = loads.map((l) => l.outcomes.acknowledged.size);
      await Promise.all(loads.map((l, i) => l.reached((before[i] ?? 0) + 60)));
      await fault();
    }
    await Promise.all(loads.map((l) => l.reached(l.outcomes.acknowledged.size + 30))); // After the last fault, on the same open databases.
    for (const l of loads) await l.stop();
    await reader.transaction((t) => watchedBy.append(t, [{ subject: 's', type: 'said', payload: Buffer.from('end'), timeMs: 1 }]));
    const all = await written(reader);
    const there = new Set(all);
    for (const { outcomes: { acknowledged, refused } } of loads) {
      expect([...acknowledged].filter((w) => !there.has(w))).toEqual([]);
      expect([...refused].filter((w) => there.has(w))).toEqual([]);
    }
    const unknown = new Set(loads.flatMap((l) => [...l.outcomes.unknown]));
    const acknowledged = loads.reduce((sum, l) => sum + l.outcomes.acknowledged.size, 0);
    expect(all.length).toBe(acknowledged + [...unknown].filter((w) => there.has(w)).length + 1);
    await watching;
    expect(seen).toEqual(all);
    await Promise.all([one.close(), two.close(), reader.close()]);
  });

  test('what several processes append is seen by a watcher whole and in the order of its numbers', async () => {
    const reader = await open(url);
    const log = new EventLog(reader);
    const stop = new AbortController();
    const seen: [number, string][] = [];
    const watching = (async () => {
      for await (const e of log.watch('shared', 0, stop.signal)) {
        seen.push([e.sequence, Buffer.from(e.payload).toString()]);
        if (seen.length === 600) stop.abort();
      }
    })();
    const codes = await Promise.all(['a', 'b', 'c'].map((name) => exited(start('append-process', url, name, '200'))));
    expect(codes).toEqual([0, 0, 0]);
    await watching;
    expect(seen.map(([n]) => n)).toEqual(seen.map(([n]) => n).sort((a, b) => a - b));
    expect(new Set(seen.map(([, text]) => text)).size).toBe(600);
    await reader.close();
  });

  test('a transaction waits for the one that has a smaller number already, in another process too', async () => {
    const [one, two] = [await open(url), await open(url)];
    const [logOne, logTwo] = [new EventLog(one), new EventLog(two)];
    const order: string[] = [];
    let second: Promise<unknown> = Promise.resolve();
    await one.transaction(async (t) => {
      await logOne.append(t, [{ subject: 's', type: 'said', payload: Buffer.from('first'), timeMs: 1 }]);
      second = two.transaction((u) => logTwo.append(u, [{ subject: 's', type: 'said', payload: Buffer.from('second'), timeMs: 1 }])).then(() => order.push('second'));
      let waits = 0;
      while (waits === 0) waits = (await sql<{ count: number }>`select count(*) as count from pg_locks where locktype = 'advisory' and not granted`.execute(one.query)).rows[0]?.count ?? 0;
      order.push('first');
    });
    await second;
    expect(order).toEqual(['first', 'second']);
    expect(await written(one)).toEqual(['first', 'second']);
    await Promise.all([one.close(), two.close()]);
  });

  test('a watcher in another process is woken up by a notification, and without one by its own poll', async () => {
    const [writer, reader] = [await open(url), await open(url)];
    const watch = async (pollMs: number, write: () => Promise<unknown>): Promise<string> => {
      const notifications = new PostgresNotifications({ ...postgresSettings({ url }, 'test'), pollMs });
      const stop = new AbortController();
      const after = (await written(reader)).length;
      const next = new EventLog({ query: reader.query, notifications }).watch('s', after, stop.signal).next();
      let listens = 0; // Until it has connected: that wakes everybody up, too.
      while (listens === 0) listens = (await sql<{ count: number }>`select count(*) as count from pg_stat_activity where datname = current_database() and query = 'listen lockstep' and state = 'idle'`.execute(reader.query)).rows[0]?.count ?? 0;
      await write();
      const { value } = await next;
      stop.abort();
      await notifications.close();
      return value ? Buffer.from(value.payload).toString() : 'nothing';
    };
    const log = new EventLog(writer);
    expect(await watch(100_000_000, () => writer.transaction((t) => log.append(t, [{ subject: 's', type: 'said', payload: Buffer.from('notified'), timeMs: 1 }])))).toBe('notified');
    expect(await watch(20, () => sql`insert into event (subject, type, payload, time_ms) values ('s', 'said', ${Buffer.from('silent')}, 1)`.execute(writer.query))).toBe('silent');
    await Promise.all([writer.close(), reader.close()]);
  });

  describe('a leader', () => {
    /** Starts one and tells its reports, from the first on. */
    function leader(...mode: readonly string[]) {
      const child = start('lease-process', url, ...mode);
      const reports: LeaseReport[] = [];
      const waiting = new Set<() => void>();
      child.on('message', (m) => {
        reports.push(m as LeaseReport);
        for (const wake of waiting) wake();
      });
      const gone = exited(child).then(() => { for (const wake of waiting) wake(); });
      const until = async (enough: (all: readonly LeaseReport[]) => boolean): Promise<void> => {
        while (!enough(reports)) {
          if (child.exitCode !== null) throw new Error(`the leader ended with ${child.exitCode} after ${JSON.stringify(reports.slice(-3))}`);
          await new Promise<void>((resolve) => waiting.add(resolve));
          waiting.clear();
        }
      };
      return { child, reports, until, gone, failures: () => reports.flatMap((r) => (r.kind === 'FAILED' ? [r.failure] : [])) };
    }
    /** Waits until the lease is free and takes it. */
    async function takeOver(database: Database<ContractSchema>) {
      const stop = new AbortController();
      for await (const status of database.leases.watch('leader', stop.signal)) {
        if (status.kind !== 'FREE') continue;
        const answer = await database.leases.acquire('leader', 'the second', 600_000);
        if (answer.kind === 'ACQUIRED') return answer.lease;
      }
      throw new Error('the watch ended');
    }
    const writeAs = (database: Database<ContractSchema>, name: string): Promise<number> => database.transaction(async ({ query }) => {
      const { last } = await query.selectFrom('entry').select((e) => e.fn.max('number').as('last')).executeTakeFirstOrThrow();
      await query.insertInto('entry').values({ name, number: Number(last ?? 0) + 1 }).execute();
      return Number(last ?? 0) + 1;
    });
    const entries = async (database: Database<ContractSchema>) => (await database.query.selectFrom('entry').select(['name', 'number']).orderBy('number').execute());

    test('that renews keeps its lease past its time; killed, the second takes over and all that was acknowledged is there', async () => {
      const second = await open(url);
      const first = leader();
      await first.until((all) => all.filter((r) => r.kind === 'RENEWED').length >= 6); // One and a half times its ttl.
      expect(await second.leases.acquire('leader', 'the second', 600_000)).toMatchObject({ kind: 'TAKEN', status: { epoch: 1 } });
      first.child.kill('SIGKILL');
      await first.gone;
      const lease = await takeOver(second);
      expect(lease.epoch).toBe(2);
      const number = await writeAs(second.underLease(lease), 'new');
      const wrote = first.reports.flatMap((r) => (r.kind === 'WROTE' ? [r.number] : []));
      expect(number).toBeGreaterThan(Math.max(...wrote));
      const there = new Set((await entries(second)).map((e) => e.number));
      expect(wrote.filter((n) => !there.has(n))).toEqual([]);
      await second.close();
    });

    test('that was paused while another took over writes nothing when it comes back', async () => {
      const second = await open(url);
      const first = leader();
      await first.until((all) => all.filter((r) => r.kind === 'WROTE').length >= 20);
      first.child.kill('SIGSTOP');
      const lease = await takeOver(second);
      const taken = await writeAs(second.underLease(lease), 'new');
      first.child.kill('SIGCONT');
      await first.until(() => first.failures().includes('LEASE_LOST'));
      await first.gone;
      expect((await entries(second)).filter((e) => e.number > taken)).toEqual([]);
      expect(first.reports.at(-1)).toMatchObject({ kind: 'FAILED', message: expect.stringMatching(/the second has it with epoch 2.*Nothing was written/) });
      await second.close();
    });

    test('that was paused inside a transaction cannot end it, and does not hold up the second', async () => {
      const second = await open(url);
      const first = leader('HOLD');
      await first.until((all) => all.some((r) => r.kind === 'INSIDE'));
      first.child.kill('SIGSTOP');
      const lease = await takeOver(second);
      const taken = await writeAs(second.underLease(lease), 'new');
      first.child.send('go on');
      first.child.kill('SIGCONT');
      await first.until(() => first.failures().includes('LEASE_LOST'));
      await first.gone;
      expect(first.failures()).toEqual(['CONNECTION_LOST', 'LEASE_LOST']);
      expect(await entries(second)).toEqual([{ name: 'new', number: taken }]);
      await second.close();
    });

    test('that loses its server keeps its lease when nobody took it', async () => {
      const database = await open(url);
      const answer = await database.leases.acquire('leader', 'a', 1);
      if (answer.kind !== 'ACQUIRED') throw new Error('taken');
      server.kill();
      await server.restart();
      await writeAs(database.underLease(answer.lease), 'still');
      await rejection(database.leases.renew({ ...answer.lease, epoch: 9 }));
      await database.leases.renew(answer.lease);
      await database.close();
    });
  });

  test('a server ends and its folder is removed when the program that started it is killed', async () => {
    const child = start('postgres-server-process');
    const said = await new Promise<{ url: string; folder: string }>((resolve) => child.once('message', (m) => resolve(m as { url: string; folder: string })));
    expect(fs.existsSync(said.folder)).toBe(true);
    child.kill('SIGKILL');
    while (fs.existsSync(said.folder)) await new Promise((resolve) => setImmediate(resolve));
    expect(await rejection(new Client(said.url).connect())).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
