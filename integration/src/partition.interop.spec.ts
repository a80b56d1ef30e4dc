/** Workers in network namespaces of their own, cut off from one another while the coordinator hears of all: the group goes on. */
import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorClient } from '@lockstep/client';
import { JobState, type JobEvent, type TrainJob } from '@lockstep/contract';
import { lockstep } from './cluster';
import { IMPORT_PENGUINS, moduleFile } from './fixtures';
import { startService, type ServiceProcess } from './service-process';

const SUBNET = '10.231.77';
const BRIDGE = 'lockstep0';
const WORKERS = ['a', 'b', 'c'] as const;
type Name = (typeof WORKERS)[number];
const space = (name: Name): string => `lockstep-${name}`;
const address = (name: Name): string => `${SUBNET}.${2 + WORKERS.indexOf(name)}`;

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
const inside = (name: Name, ...args: readonly string[]): void => ip('netns', 'exec', space(name), 'ip', ...args);

/** Removes what a run made, or left. */
function removeNetwork(): void {
  for (const name of WORKERS) {
    // A namespace lives on while a process does that is in it.
    spawnSync('ip', ['link', 'del', `${space(name)}0`]);
    spawnSync('ip', ['netns', 'del', space(name)]);
  }
  spawnSync('ip', ['link', 'del', BRIDGE]);
}

function makeNetwork(): void {
  removeNetwork();
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('addr', 'add', `${SUBNET}.1/24`, 'dev', BRIDGE);
  ip('link', 'set', BRIDGE, 'up');
  for (const name of WORKERS) {
    ip('netns', 'add', space(name));
    ip('link', 'add', `lockstep-${name}0`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space(name));
    ip('link', 'set', `lockstep-${name}0`, 'master', BRIDGE, 'up');
    inside(name, 'addr', 'add', `${address(name)}/24`, 'dev', 'eth0');
    inside(name, 'link', 'set', 'eth0', 'up');
    inside(name, 'link', 'set', 'lo', 'up');
  }
}

/** Packets from one worker to another are dropped. */
const cut = (from: Name, to: Name): void => inside(from, 'route', 'add', 'blackhole', `${address(to)}/32`);
const mend = (from: Name, to: Name): void => void spawnSync('ip', ['netns', 'exec', space(from), 'ip', 'route', 'del', 'blackhole', `${address(to)}/32`]);

/** Namespaces need a privilege that not every machine gives. */
const possible = (() => {
  const probe = spawnSync('ip', ['netns', 'add', 'lockstep-probe']);
  if (probe.status !== 0) return false;
  spawnSync('ip', ['netns', 'del', 'lockstep-probe']);
  return true;
})();

(possible ? describe : describe.skip)('a network that is partitioned (needs the right to make network namespaces)', () => {
  const started: ChildProcess[] = [];
  let folder: string;
  let client: CoordinatorClient;
  let flags: readonly string[];
  let undisturbed: TrainJob;

  beforeAll(async () => {
    makeNetwork();
    folder = mkdtempSync(join(tmpdir(), 'lockstep-partition-'));
    const start = (...args: Parameters<typeof startService>): ServiceProcess => {
      const one = startService(...args);
      started.push(one.process);
      return one;
    };
    const artifact = await start('artifact', ['--listen', `${SUBNET}.1:0`, '--data', join(folder, 'artifact')]).ready;
    const coordinator = await start('coordinator', ['--listen', `${SUBNET}.1:0`, '--artifact', artifact, '--data', join(folder, 'coordinator')]).ready;
    await Promise.all(WORKERS.map((name) =>
      start('worker', ['--coordinator', coordinator, '--name', name, '--host', address(name), '--data', join(folder, name)], ['ip', 'netns', 'exec', space(name)]).ready));
    client = new CoordinatorClient(coordinator);
    flags = ['--coordinator', coordinator, '--artifact', artifact];
    const imported = await lockstep([...IMPORT_PENGUINS, ...flags]);
    expect(imported.stderr + imported.stdout).toContain('artifacts/penguins/versions/1');
    undisturbed = (await train('undisturbed', '1', 0, () => undefined)).job;
    expect(undisturbed.error?.message).toBeUndefined();
  }, 180_000);

  afterAll(() => {
    client.close();
    for (const child of started) child.kill('SIGKILL');
    removeNetwork();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  async function train(output: string, workers: string, stepMs: number, onSteps: (steps: number) => void): Promise<{ readonly job: TrainJob; readonly events: readonly JobEvent['event'][] }> {
    const submitted = await lockstep(['train', moduleFile('faults'), '--examples', 'penguins', '--output', output, '--workers', workers, '--config', JSON.stringify({ stepMs }),
      '--step-timeout', '2s', '--detach', '--json', ...flags]);
    const { name } = JSON.parse(submitted.stdout) as { name: string };
    const events: JobEvent['event'][] = [];
    let steps = 0;
    for await (const { event } of client.watch(name)) {
      events.push(event);
      if (event.case === 'stepsCommitted') onSteps(steps += event.value.steps);
    }
    return { job: await client.get(name), events };
  }

  const lost = (events: readonly JobEvent['event'][]): readonly string[] => events.flatMap((event) => (event.case === 'memberLost' ? [event.value.worker] : []));

  test.each<[string, readonly (readonly [Name, Name])[]]>([
    ['two workers cannot reach one another', [['a', 'b'], ['b', 'a']]],
    ['one cannot send to another, which can send to it', [['c', 'a']]],
    ['one cannot reach any other', [['b', 'a'], ['b', 'c']]],
  ])('%s: one of them is given up, and the job ends with the digest of an undisturbed one', async (name, cuts) => {
    let done = false;
    try {
      const { job, events } = await train(name.replaceAll(/[ ,]+/g, '-'), '3', 60, (steps) => {
        if (steps < 4 || done) return;
        done = true;
        for (const [from, to] of cuts) cut(from, to);
      });
      expect(done).toBe(true);
      expect(job.error?.message).toBeUndefined();
      expect(job.state).toBe(JobState.SUCCEEDED);
      expect(job.result).toMatchObject({ stateDigest: undisturbed.result?.stateDigest, modelDigest: undisturbed.result?.modelDigest });
      expect(job.committedSteps).toBe(undisturbed.committedSteps);
      const involved = new Set(cuts.flat().map((worker) => `workers/${worker}`));
      expect(lost(events).length).toBeGreaterThan(0);
      for (const worker of lost(events)) expect(involved).toContain(worker);
    } finally {
      for (const [from, to] of cuts) mend(from, to);
    }
  }, 120_000);
});
