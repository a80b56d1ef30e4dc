/** The main job, end to end, with real processes: the same bytes on any number of workers, and the books that prove who did what. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCluster } from './cluster';
import { IMPORT_PENGUINS, moduleFile } from './fixtures';


interface JobDocument {
  readonly name: string;
  readonly state: string;
  readonly result: { readonly model: string; readonly modelDigest: string; readonly stateDigest: string; readonly steps: string; readonly modelRun?: string };
  readonly ledger: { readonly records: string; readonly sum: string };
  readonly reports: readonly MemberBooks[];
}

/** What `jobs verify` prints. */
interface Verification {
  readonly eventsAddUp: boolean;
  readonly steps: number;
  readonly ledger: { readonly records: number };
  readonly calls: readonly { readonly steps: number; readonly verdict: { readonly kind: string } }[];
}

/** What each member reported at its end; protobuf's JSON leaves zeros out. */
interface MemberBooks {
  readonly rank?: number;
  readonly replicas: { readonly from?: number; readonly to: number };
  readonly replicaComputations: string;
  readonly exchangeSentBytes?: string;
  readonly exchangeReceivedBytes?: string;
  readonly exchangePlannedSentBytes?: string;
  readonly exchangeWireSentBytes?: string;
}

/** Rows of the fits of modules/everything.ts: global batches, each cut into V parts of which the empty ones are not computed. */
function plannedComputations(replicas: number, from: number, to: number): number {
  const penguins = [...Array.from({ length: Math.floor(274 / 25) }, () => 25), 274 % 25];
  const inMemory = [8, 8, 8, 2];
  const batches = [...penguins, ...penguins, ...inMemory, ...inMemory];
  const part = (rows: number, r: number): number => Math.floor(((r + 1) * rows) / replicas) - Math.floor((r * rows) / replicas);
  return batches.reduce((n, rows) => n + Array.from({ length: to - from }, (_, i) => part(rows, from + i)).filter((p) => p > 0).length, 0);
}

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.start(4);
  await cluster.json(...IMPORT_PENGUINS);
}, 120_000);
afterAll(async () => {
  expect(await cluster.stop()).toBe(0);
}, 60_000);

const train = async (workers: number, replicas: number, seed: number, ...flags: readonly string[]): Promise<JobDocument> => {
  const documents = await cluster.json<JobDocument>('train', moduleFile('everything'), '--examples', 'penguins', '--output', `p${workers}-v${replicas}-s${seed}`,
    '--workers', String(workers), '--replicas', String(replicas), '--seed', String(seed), ...flags);
  const job = documents.at(-1);
  if (!job) throw new Error('train printed nothing');
  return job;
};

describe.each([[4, [1, 2, 3, 4]], [3, [1, 2, 3]]] as const)('with %i logical replicas', (replicas, worlds) => {
  const jobs = new Map<number, JobDocument>();

  test.each(worlds)(`${replicas} replicas on %i workers`, async (workers) => {
    const job = await train(workers, replicas, 5);
    jobs.set(workers, job);
    expect(job.state).toBe('JOB_STATE_SUCCEEDED');
    expect(job.reports.map((r) => r.rank ?? 0)).toEqual(Array.from({ length: workers }, (_, i) => i));
  }, 120_000);

  test('one digest of the model and one of the state, whatever the number of workers', () => {
    expect(jobs.size).toBe(worlds.length);
    expect(new Set([...jobs.values()].map((j) => j.result.modelDigest)).size).toBe(1);
    expect(new Set([...jobs.values()].map((j) => j.result.stateDigest)).size).toBe(1);
  });

  test('the ledger is complete, and the same whatever the number of workers', () => {
    for (const { ledger } of jobs.values()) {
      // Two epochs over the training split, and two over the rows in memory.
      expect(ledger.records).toBe(String(2 * 274 + 2 * 26));
      expect(ledger).toEqual(jobs.get(1)?.ledger);
    }
  });

  test('`jobs verify` recomputes from the shard tables and the steps what each call consumed', async () => {
    for (const { name } of jobs.values()) {
      const [report] = await cluster.json<Verification>('jobs', 'verify', name);
      expect(report).toMatchObject({ eventsAddUp: true, steps: 2 * 11 + 2 * 4, ledger: { records: 600 } });
      expect(report?.calls.map(({ steps, verdict }) => [steps, verdict.kind])).toEqual([[22, 'AS_PLANNED'], [8, 'AS_PLANNED']]);
    }
  }, 60_000);

  test('every member computed the gradients of its own replicas, and no others', () => {
    for (const { reports } of jobs.values()) {
      for (const { replicas: { from = 0, to }, replicaComputations } of reports) expect(Number(replicaComputations)).toBe(plannedComputations(replicas, from, to));
    }
  });

  test('the bytes on the wire are within 5 % of the plan', () => {
    for (const [workers, { reports }] of jobs) {
      for (const report of reports) {
        const [sent, wire, planned] = [report.exchangeSentBytes, report.exchangeWireSentBytes, report.exchangePlannedSentBytes].map((n) => Number(n ?? 0));
        if (workers === 1) expect([sent, wire, planned]).toEqual([0, 0, 0]);
        else for (const bytes of [sent, wire]) expect(Math.abs((bytes ?? 0) / (planned ?? 0) - 1)).toBeLessThan(0.05);
      }
    }
  });
});

test('another seed makes another model', async () => {
  const [five, six] = [await train(1, 4, 5), await train(2, 4, 6)];
  expect(six.result.modelDigest).not.toBe(five.result.modelDigest);
}, 120_000);

test('under shard policy OFF every replica reads all records: one digest on one and two workers, and V times the records', async () => {
  const jobs = [await train(1, 4, 5, '--shard-policy', 'OFF'), await train(2, 4, 5, '--shard-policy', 'OFF')];
  expect(new Set(jobs.map((job) => job.result.modelDigest)).size).toBe(1);
  for (const { name, ledger } of jobs) {
    expect(ledger).toEqual(jobs[0]?.ledger);
    expect(ledger.records).toBe(String(4 * 2 * 274 + 2 * 26));
    const [report] = await cluster.json<Verification>('jobs', 'verify', name);
    expect(report?.calls.map(({ verdict }) => verdict.kind)).toEqual(['AS_PLANNED', 'AS_PLANNED']);
  }
}, 120_000);

test('shard policy FILE with fewer files than replicas is refused with a sentence that says what to do, and starts nothing', async () => {
  const { code, stderr } = await cluster.run('train', moduleFile('everything'), '--examples', 'penguins', '--shard-policy', 'FILE');
  expect(code).toBe(1);
  expect(stderr).toMatch(/spec\.shard_policy: FILE gives each logical replica whole files: \d files? of train cannot be shared by 4\. Use DATA, write more files/);
}, 60_000);

test('what a module leaves in fnArgs.modelRunDir is a version beside the model, of the same execution', async () => {
  const job = (await cluster.json<JobDocument>('train', moduleFile('callbacks'), '--examples', 'penguins', '--output', 'logged', '--workers', '2')).at(-1);
  expect(job?.result.modelRun).toBe('artifacts/logged-run/versions/1');
  const target = join(cluster.folder, 'run');
  expect((await cluster.run('artifacts', 'get', 'logged-run', '--to', target)).code).toBe(0);
  expect(readdirSync(join(target, 'logs'), { recursive: true, encoding: 'utf8' }).join()).toMatch(/train.*tfevents/);
  const [run] = await cluster.json<{ type: string; execution: string }>('artifacts', 'show', 'logged-run');
  const [model] = await cluster.json<{ type: string; execution: string }>('artifacts', 'show', 'logged');
  expect([run?.type, run?.execution]).toEqual(['ModelRun', model?.execution]);
  expect((await cluster.run('jobs', 'show', job?.name ?? '')).stdout).toContain('artifacts/logged-run/versions/1');
}, 120_000);

test('members that have finished wait for a chief that has not', async () => {
  const job = (await cluster.json<JobDocument>('train', moduleFile('slow-chief'), '--examples', 'penguins', '--workers', '2')).at(-1);
  expect(job?.state).toBe('JOB_STATE_SUCCEEDED');
}, 60_000);

test('a model is fetched whole, and its files are what the version says', async () => {
  const target = join(cluster.folder, 'fetched');
  const { code, stderr } = await cluster.run('artifacts', 'get', 'p1-v4-s5', '--to', target);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const model = JSON.parse(readFileSync(join(target, 'Format-Layers', 'model.json'), 'utf8')) as { format?: string };
  expect(model.format).toBe('layers-model');
  expect(existsSync(join(target, 'Format-Layers', 'weights.bin')) || existsSync(join(target, 'Format-Layers', 'group1-shard1of1.bin'))).toBe(true);
}, 60_000);
