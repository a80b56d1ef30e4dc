/** Two coordinators on one PostgreSQL: the second takes over when the first dies, and neither that nor a restart of the database costs a step. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState, type JobEvent } from '@lockstep/contract';
import { describeWithPostgres, startPostgres, type PostgresServer } from '@lockstep/storage/testing';
import { lockstep } from './cluster';
import { IMPORT_PENGUINS, moduleFile } from './fixtures';
import { startService, type ServiceProcess } from './service-process';

const LEADER_LEASE_MS = 2000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

describeWithPostgres('two coordinators on one database', () => {
  const started: ChildProcess[] = [];
  let folder: string;
  let postgres: PostgresServer;
  let coordinators: readonly ServiceProcess[];
  let addresses: string;
  let artifact: string;
  let client: CoordinatorClient | undefined;

  const connected = (): CoordinatorClient => {
    if (!client) throw new Error('the coordinators do not run');
    return client;
  };
  const run = (...args: readonly string[]): ReturnType<typeof lockstep> => lockstep([...args, '--coordinator', addresses, '--artifact', artifact]);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-standby-'));
    postgres = await startPostgres();
    const database = await postgres.createDatabase();
    const start = (...args: Parameters<typeof startService>): ServiceProcess => {
      const one = startService(...args);
      started.push(one.process);
      return one;
    };
    artifact = await start('artifact', ['--listen', '127.0.0.1:0', '--data', join(folder, 'artifact')]).ready;
    const ports = [await freePort(), await freePort()];
    addresses = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const coordinator = (port: number | undefined): ServiceProcess => start('coordinator', [
      '--listen', `127.0.0.1:${port}`, '--artifact', artifact, '--database', database, '--data', join(folder, `coordinator-${port}`), '--leader-lease-ms', String(LEADER_LEASE_MS)]);
    const first = coordinator(ports[0]);
    await first.ready;
    coordinators = [first, coordinator(ports[1])];
    await Promise.all(['a', 'b'].map((name) => start('worker', ['--coordinator', addresses, '--name', name, '--data', join(folder, name)]).ready));
    client = new CoordinatorClient(addresses);
    const imported = await run(...IMPORT_PENGUINS);
    expect(imported.stderr + imported.stdout).toContain('artifacts/penguins/versions/1');
  }, 180_000);

  afterAll(async () => {
    client?.close();
    for (const child of started) child.kill('SIGKILL');
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  const train = (output: string, workers: number, stepMs: number): ReturnType<typeof lockstep> =>
    run('train', moduleFile('faults'), '--examples', 'penguins', '--output', output, '--workers', String(workers), '--config', JSON.stringify({ stepMs }), '--detach', '--json');

  async function follow(name: string, onSteps: (steps: number) => Promise<void>): Promise<readonly JobEvent['event'][]> {
    const events: JobEvent['event'][] = [];
    let steps = 0;
    for await (const { event } of connected().watch(name)) {
      events.push(event);
      if (event.case === 'stepsCommitted') await onSteps(steps += event.value.steps);
    }
    return events;
  }

  test('the leader is killed, then the database is restarted: the job ends with the digest of an undisturbed one', async () => {
    const undisturbed = JSON.parse((await train('undisturbed', 1, 0)).stdout) as { name: string };
    await follow(undisturbed.name, () => Promise.resolve());
    const expected = await connected().get(undisturbed.name);
    expect(expected.error?.message).toBeUndefined();

    const { name } = JSON.parse((await train('disturbed', 2, 250)).stdout) as { name: string };
    let [killed, restarted] = [false, false];
    const events = await follow(name, async (steps) => {
      if (steps >= 3 && !killed) {
        killed = true;
        coordinators[0]?.process.kill('SIGKILL');
      } else if (steps >= 12 && !restarted) {
        restarted = true;
        await postgres.restart();
      }
    });
    expect([killed, restarted]).toEqual([true, true]);
    await coordinators[1]?.ready;
    const job = await connected().get(name);
    expect(job.error?.message).toBeUndefined();
    expect(job.state).toBe(JobState.SUCCEEDED);
    expect(job.result?.stateDigest).toBe(expected.result?.stateDigest);
    expect(job.result?.modelDigest).toBe(expected.result?.modelDigest);
    expect(job.committedSteps).toBe(expected.committedSteps);
    // Nobody was lost, no generation was formed anew, no step was told of twice.
    expect(events.some((event) => event.case === 'memberLost')).toBe(false);
    expect(job.generation?.number).toBe(1n);
    expect(events.reduce((sum, event) => sum + (event.case === 'stepsCommitted' ? BigInt(event.value.steps) : 0n), 0n)).toBe(expected.committedSteps);
  }, 180_000);
});
