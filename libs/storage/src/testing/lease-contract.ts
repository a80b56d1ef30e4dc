import type { Database } from '../database';
import { awaitLeadership, keepLeadership } from '../leadership';
import type { Lease, LeaseStatus } from '../lease';
import type { ContractSchema, DatabaseFixture } from './database-contract';
import { rejection } from './rejection';

/** What leases must do on every database; the fixture's migrations have leaseMigration. Runs as tests of the file that calls it. */
export function leaseContract(kind: string, make: () => DatabaseFixture | Promise<DatabaseFixture>): void {
  describe(`leases on ${kind}`, () => {
    let fixture: DatabaseFixture;
    let database: Database<ContractSchema>;
    beforeEach(async () => {
      fixture = await make();
      database = await fixture.open();
    });
    afterEach(() => database.close());
    const must = async (holder: string, name = 'leader'): Promise<Lease> => {
      const answer = await database.leases.acquire(name, holder, 600_000);
      if (answer.kind !== 'ACQUIRED') throw new Error(`${holder} did not get the lease: ${JSON.stringify(answer)}`);
      return answer.lease;
    };
    const write = (under: Database<ContractSchema>, number: number): Promise<unknown> => under.transaction(({ query }) => query.insertInto('entry').values({ name: 'x', number }).execute());
    const numbers = async (): Promise<readonly number[]> => (await database.query.selectFrom('entry').select('number').orderBy('number').execute()).map((r) => r.number);

    test('one holder at a time, and a larger epoch for each', async () => {
      const first = await must('a');
      expect(first).toEqual({ name: 'leader', holder: 'a', epoch: 1, ttlMs: 600_000 });
      for (const holder of ['b', 'a']) {
        expect(await database.leases.acquire('leader', holder, 1)).toMatchObject({ kind: 'TAKEN', status: { kind: 'HELD', holder: 'a', epoch: 1 } });
      }
      await database.leases.release(first);
      expect((await must('b')).epoch).toBe(2);
    });

    test('of many who ask at once one gets it', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => database.leases.acquire('leader', `holder ${i}`, 600_000)));
      expect(answers.filter((a) => a.kind === 'ACQUIRED')).toHaveLength(1);
    });

    test('who waits to lead follows the leader, and the one that was paused meanwhile is told so', async () => {
      const said: string[] = [];
      const parts = (holder: string) => {
        const say = (_facts: object, message: string): void => void said.push(`${holder}: ${message}`);
        return { service: 'cook', leases: database.leases, holder, ttlMs: 600_000, logger: { info: say, warn: say } };
      };
      const first = await awaitLeadership(parts('a'));
      const second = awaitLeadership(parts('b'));
      while (said.length < 2) await new Promise((resolve) => setImmediate(resolve));
      expect(said).toEqual(['a: this cook leads', 'b: standing by: another cook leads']);
      await database.leases.release(first);
      expect(await second).toMatchObject({ name: 'cook', holder: 'b', epoch: first.epoch + 1 });
      const lost = await new Promise<Error>((resolve) => keepLeadership({ ...parts('a'), ttlMs: 40 }, first, resolve));
      expect(lost).toMatchObject({ failure: 'LEASE_LOST' });
    });

    test('leases of other names are others', async () => {
      expect((await must('a', 'one')).epoch).toBe(1);
      expect((await must('b', 'two')).epoch).toBe(1);
    });

    test('the epoch grows on after the database was closed, and the same holder is a new one', async () => {
      await database.leases.release(await must('a'));
      await database.close();
      database = await fixture.open();
      expect((await must('a')).epoch).toBe(2);
    });

    test('a transaction under a lease writes until another has the lease, and then nothing', async () => {
      const old = await must('a');
      const under = database.underLease(old);
      await write(under, 1);
      await database.leases.release(old);
      await must('b');
      const error = await rejection(write(under, 2));
      expect(error).toMatchObject({ failure: 'LEASE_LOST', reason: 'IO', facts: { lease: 'leader', holder: 'a', epoch: '1', currentEpoch: '2' } });
      expect(error.message).toContain('b has it with epoch 2');
      expect(await numbers()).toEqual([1]);
    });

    test('a lease that was given up, and one that never was, fence too', async () => {
      const old = await must('a');
      await database.leases.release(old);
      const error = await rejection(write(database.underLease(old), 1));
      expect(error).toMatchObject({ failure: 'LEASE_LOST' });
      expect(error.message).toContain('given up');
      expect(await rejection(write(database.underLease({ ...old, name: 'nobody\'s' }), 1))).toMatchObject({ failure: 'LEASE_LOST' });
      expect(await numbers()).toEqual([]);
    });

    test('only its holder renews a lease, and giving up another\'s changes nothing', async () => {
      const old = await must('a');
      await database.leases.renew(old);
      await database.leases.release(old);
      expect(await rejection(database.leases.renew(old))).toMatchObject({ failure: 'LEASE_LOST' });
      const next = await must('b');
      expect(await rejection(database.leases.renew(old))).toMatchObject({ failure: 'LEASE_LOST' });
      await database.leases.release(old);
      await database.leases.renew(next);
      await write(database.underLease(next), 1);
    });

    test('a watcher sees who has it now, and every change, until its signal aborts', async () => {
      const stop = new AbortController();
      const seen: LeaseStatus[] = [];
      const watching = (async () => {
        for await (const status of database.leases.watch('leader', stop.signal)) {
          seen.push(status);
          switch (seen.length) {
            case 1: await must('a'); break;
            case 2: await database.leases.release({ name: 'leader', holder: 'a', epoch: 1, ttlMs: 1 }); break;
            case 3: await must('b'); break;
            default: stop.abort();
          }
        }
      })();
      await watching;
      expect(seen.map((s) => [s.kind, s.epoch])).toEqual([['FREE', 0], ['HELD', 1], ['FREE', 1], ['HELD', 2]]);
    });
  });
}
