// Holds the lease `leader`, renews it, and writes entries under it, numbered by what is there; reports each and every failure, and ends when the lease is lost.
// With HOLD it stays inside each transaction until it is told to go on.
import { DatabaseError } from '../database-error';
import { openPostgres } from '../postgres/postgres-database';
import { sharedMigrations, type ContractSchema } from './database-contract';

/** What the process says to its parent. */
export type LeaseReport =
  | { readonly kind: 'RENEWED' }
  | { readonly kind: 'INSIDE' }
  | { readonly kind: 'WROTE'; readonly number: number }
  | { readonly kind: 'FAILED'; readonly failure: string; readonly message: string };

const TTL_MS = 1_000;

const say = (report: LeaseReport): void => void process.send?.(report);

const failed = (caught: unknown): LeaseReport => {
  if (!(caught instanceof DatabaseError)) throw caught;
  return { kind: 'FAILED', failure: caught.failure, message: caught.message };
};

async function main(url: string, mode: string | undefined): Promise<void> {
  const database = await openPostgres<ContractSchema>({ url, service: 'test', programVersion: '1.0.0', migrations: sharedMigrations, transactionIdleTimeoutMs: 1_000 });
  const answer = await database.leases.acquire('leader', `process ${process.pid}`, TTL_MS);
  if (answer.kind !== 'ACQUIRED') throw new Error('the lease is taken');
  const timer = setInterval(() => void database.leases.renew(answer.lease).then(() => say({ kind: 'RENEWED' }), () => undefined), TTL_MS / 4);
  const under = database.underLease(answer.lease);
  for (let lost = false; !lost && process.connected;) {
    try {
      const number = await under.transaction(async ({ query }) => {
        const { last } = await query.selectFrom('entry').select((e) => e.fn.max('number').as('last')).executeTakeFirstOrThrow();
        const next = Number(last ?? 0) + 1;
        await query.insertInto('entry').values({ name: 'old', number: next }).execute();
        if (mode === 'HOLD') {
          const told = new Promise<void>((resolve) => process.once('message', () => resolve()));
          say({ kind: 'INSIDE' });
          await told;
        }
        return next;
      });
      say({ kind: 'WROTE', number });
    } catch (e) {
      const report = failed(e);
      say(report);
      lost = report.kind === 'FAILED' && report.failure === 'LEASE_LOST';
    }
  }
  clearInterval(timer);
  await database.close();
  process.disconnect();
}

const [, , url, mode] = process.argv;
if (url === undefined) throw new Error('usage: lease-process.js URL [HOLD]');
void main(url, mode);
