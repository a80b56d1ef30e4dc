/** What whoever operates a cluster relies on: health, small processes, clean leaving, telemetry that is off, data folders that are checked. */
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { CoordinatorClient } from '@lockstep/client';
import { openDatabase } from '@lockstep/storage';
import { LocalCluster, lockstep } from './cluster';
import { IMPORT_PENGUINS, moduleFile, ROOT } from './fixtures';

const IDLE_SERVICE_BYTES = 150 * 2 ** 20;
const CHILD_ABOVE_BARE_BYTES = 250 * 2 ** 20;

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.start(1);
}, 120_000);
afterAll(() => cluster.stop(), 60_000);

const rssBytes = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) * 1024;

/** What a service says of its own health, in the words of grpc.health.v1. */
function health(address: string, service: string): Promise<string> {
  loadPackageDefinition(loadSync(healthProto));
  const definition = loadSync(healthProto, { enums: String })['grpc.health.v1.Health'] as unknown as { Check: { path: string; requestSerialize: (v: object) => Buffer; responseDeserialize: (b: Buffer) => { status: string } } };
  const client = new Client(address, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(definition.Check.path, definition.Check.requestSerialize, definition.Check.responseDeserialize, { service }, { deadline: Date.now() + 5000 }, (error, reply) => {
      client.close();
      if (error) reject(error);
      else resolve(reply?.status ?? 'nothing');
    });
  });
}

test.each([
  ['coordinator', 'lockstep.coordinator.v1.CoordinatorService'], ['coordinator', 'lockstep.coordinator.v1.SessionService'],
  ['artifact', 'lockstep.artifact.v1.ArtifactService'], ['artifact', ''],
] as const)('the %s says that "%s" serves', async (name, service) => {
  expect(await health(cluster.facts[name], service)).toBe('SERVING');
});

test('an idle service is small', () => {
  for (const [name, pid] of Object.entries(cluster.facts.pids)) {
    expect([name, rssBytes(pid) < IDLE_SERVICE_BYTES]).toEqual([name, true]);
  }
});

test('a child is not much larger than what it computes with', async () => {
  await cluster.json(...IMPORT_PENGUINS);
  const [job] = await cluster.json<{ name: string }>('train', moduleFile('slow'), '--examples', 'penguins', '--output', 'memory', '--detach');
  const client = new CoordinatorClient(cluster.facts.coordinator);
  for await (const { event } of client.watch(job?.name ?? '')) if (event.case === 'stepsCommitted') break;
  const child = Number(readFileSync(`/proc/${cluster.facts.pids['worker-1'] ?? 0}/task/${cluster.facts.pids['worker-1'] ?? 0}/children`, 'utf8').trim().split(' ')[0]);
  const grown = rssBytes(child) - await bareBackendBytes();
  await client.cancel(job?.name ?? '');
  client.close();
  expect(grown).toBeLessThan(CHILD_ABOVE_BARE_BYTES);
}, 120_000);

/** RSS of a process that has loaded the backend, fitted a small model, and nothing else. */
function bareBackendBytes(): Promise<number> {
  const code = `const { selectBackend } = require(${JSON.stringify(join(ROOT, 'libs', 'backend'))});
    selectBackend(process.env, { mathThreads: 1 }).then(({ tf }) => {
      const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      return model.fit(tf.ones([64, 2]), tf.ones([64, 1]), { epochs: 5, batchSize: 8, verbose: 0 });
    }).then(() => console.log(process.memoryUsage().rss));`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', code], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (bytes: Buffer) => { stdout += bytes.toString(); });
    child.once('close', (exit) => (exit === 0 ? resolve(Number(stdout.trim().split('\n').at(-1))) : reject(new Error(`the bare backend ended with ${exit ?? 'a signal'}`))));
  });
}

test('Ctrl-C leaves cleanly: exit code 0, no process left, the folder free for the next cluster', async () => {
  const own = await LocalCluster.start(1);
  const pids = Object.values(own.facts.pids);
  expect(await own.stop()).toBe(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
}, 60_000);

test.each([['on with one variable', { LOCKSTEP_TELEMETRY: '1' }, true], ['off by default', {}, false]] as const)('telemetry is %s', async (_what, env, expected) => {
  // OpenTelemetry's console exporter writes spans to standard output, which `up` reads a line of: the service is started by hand.
  const service = spawn(process.execPath, [join(ROOT, 'services', 'artifact', 'dist', 'main.js'), '--listen', '127.0.0.1:0', '--data', join(cluster.folder, `telemetry-${String(expected)}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none', OTEL_BSP_SCHEDULE_DELAY: '20', ...env },
  });
  let stdout = '';
  const said = (text: string): Promise<void> => new Promise((resolve) => {
    const check = (): void => { if (stdout.includes(text)) resolve(); };
    service.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString();
      check();
    });
    check();
  });
  await said('listening');
  const { listening } = JSON.parse(stdout.split('\n')[0] ?? '') as { listening: string };
  expect(await health(listening, '')).toBe('SERVING');
  if (expected) await said('grpc.health.v1.Health/Check');
  const ended = new Promise((resolve) => service.once('exit', resolve));
  service.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(stdout.includes('traceId')).toBe(expected);
}, 60_000);

test('a data folder of a newer version is refused, and nothing in it is touched', async () => {
  const data = join(cluster.folder, 'newer');
  const migrations = Array.from({ length: 40 }, (_, i) => ({ name: `future ${i}`, up: () => Promise.resolve() }));
  const database = await openDatabase({ folder: join(data, 'coordinator'), service: 'coordinator', programVersion: '9.9.9', migrations });
  await database.close();
  const { code, stderr } = await lockstep(['up', '--workers', '0', '--data', data]);
  expect(stderr).toMatch(/schema version 40, written by coordinator 9\.9\.9/);
  expect(code).toBe(1);
}, 60_000);
