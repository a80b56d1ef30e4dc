/** The main job, end to end, with real processes: the same bytes on any number of workers, and the books that prove who did what. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCluster } from './cluster';
import { IMPORT_PENGUINS, moduleFile } from './fixtures';


interface JobDocument {
  readonly name: string;
  readonly state: string;
  readonly committedSteps: string;
  readonly result: { readonly model: string; readonly modelDigest: string; readonly stateDigest: string; readonly steps: string };
  readonly members?: readonly MemberBooks[];
}

/** What each member reported at its end. */
interface MemberBooks {
  readonly rank: number;
  readonly replicas: { readonly from?: number; readonly to: number };
  readonly replicaComputations: string;
  readonly rows: string;
  readonly exchangeSentBytes?: string;
  readonly exchangePlannedSentBytes?: string;
}

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.start(4);
  await cluster.json(...IMPORT_PENGUINS);
}, 120_000);
afterAll(async () => {
  expect(await cluster.stop()).toBe(0);
}, 60_000);

const train = async (workers: number, replicas: number, seed: number): Promise<JobDocument> => {
  const documents = await cluster.json<JobDocument>('train', moduleFile('everything'), '--examples', 'penguins', '--output', `p${workers}-v${replicas}-s${seed}`,
    '--workers', String(workers), '--replicas', String(replicas), '--seed', String(seed));
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
  }, 120_000);

  test('one digest of the model and one of the state, whatever the number of workers', () => {
    expect(jobs.size).toBe(worlds.length);
    expect(new Set([...jobs.values()].map((j) => j.result.modelDigest)).size).toBe(1);
    expect(new Set([...jobs.values()].map((j) => j.result.stateDigest)).size).toBe(1);
  });
});

test('another seed makes another model', async () => {
  const [five, six] = [await train(1, 4, 5), await train(2, 4, 6)];
  expect(six.result.modelDigest).not.toBe(five.result.modelDigest);
}, 120_000);

test('a model is fetched whole, and its files are what the version says', async () => {
  const target = join(cluster.folder, 'fetched');
  const { code, stderr } = await cluster.run('artifacts', 'get', 'p1-v4-s5', '--to', target);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const model = JSON.parse(readFileSync(join(target, 'Format-Layers', 'model.json'), 'utf8')) as { format?: string };
  expect(model.format).toBe('layers-model');
  expect(existsSync(join(target, 'Format-Layers', 'weights.bin')) || existsSync(join(target, 'Format-Layers', 'group1-shard1of1.bin'))).toBe(true);
}, 60_000);
