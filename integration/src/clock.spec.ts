/** The time of day jumps, forwards and back, on the machine of every service: nobody is lost for it, and no byte changes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState } from '@lockstep/contract';
import { LocalCluster } from './cluster';
import { FaultRunner, type FaultOutcome } from './fault-run';
import { IMPORT_PENGUINS, LIGHT_BACKEND, ROOT } from './fixtures';

const HOUR_MS = 3_600_000;
const JUMPS_MS = [0, 26 * HOUR_MS, -400 * 24 * HOUR_MS, 0];

let folder: string;
let clock: string;
let cluster: LocalCluster;
let client: CoordinatorClient;
let runner: FaultRunner;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-clock-'));
  clock = join(folder, 'offset-ms');
  writeFileSync(clock, '0');
  cluster = await LocalCluster.start(2, { ...LIGHT_BACKEND, LOCKSTEP_TEST_CLOCK: clock, NODE_OPTIONS: `--require ${join(ROOT, 'integration', 'modules', 'shifted-clock.cjs')}` });
  client = new CoordinatorClient(cluster.facts.coordinator);
  await cluster.json(...IMPORT_PENGUINS);
  runner = new FaultRunner(cluster, client);
}, 120_000);
afterAll(async () => {
  client.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const lost = ({ events }: FaultOutcome): number => events.filter((event) => event.case === 'memberLost').length;

test('while a job runs, with checkpoints', async () => {
  const still = await runner.run('still', { workers: '1', stepMs: 0 });
  expect(still.job.error?.message).toBeUndefined();
  const jumps = [...JUMPS_MS];
  const timer = setInterval(() => writeFileSync(clock, String(jumps.shift() ?? 0)), 1500);
  const jumped = await runner.run('jumped', { workers: '2', stepMs: 250, flags: ['--checkpoint-steps', '3', '--max-runtime', '10m'] });
  clearInterval(timer);
  expect(jumps).toEqual([]);
  expect(jumped.job.error?.message).toBeUndefined();
  expect([jumped.job.state, jumped.job.result?.stateDigest, jumped.job.result?.modelDigest, lost(jumped), jumped.job.generation?.number])
    .toEqual([JobState.SUCCEEDED, still.job.result?.stateDigest, still.job.result?.modelDigest, 0, 1n]);
}, 120_000);

test('the jumps reach the services: the artifact service says when a version was made', async () => {
  writeFileSync(clock, String(26 * HOUR_MS));
  await cluster.json('examples', 'import', join(ROOT, 'node_modules', 'vega-datasets', 'data', 'penguins.json'), '--name', 'tomorrow', '--require', 'Beak Length (mm)');
  const [version] = await cluster.json<{ createTime: string }>('artifacts', 'show', 'tomorrow');
  expect(Date.parse(version?.createTime ?? '') - Date.now()).toBeGreaterThan(24 * HOUR_MS);
}, 60_000);
