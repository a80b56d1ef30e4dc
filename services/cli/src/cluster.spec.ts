import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceCluster, findCluster, retractCluster } from './cluster';

let data: string;
const before = { ...process.env };
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'lockstep-cluster-spec-'));
  for (const name of ['LOCKSTEP_COORDINATOR', 'LOCKSTEP_ARTIFACT', 'LOCKSTEP_TUNER']) delete process.env[name];
});
afterEach(() => {
  rmSync(data, { recursive: true });
  process.env = { ...before };
});

const LOCAL = { coordinator: 'local:1', artifact: 'local:2', tuner: 'local:3' };

test('flags come before the environment, that before the local cluster', () => {
  announceCluster(data, LOCAL);
  expect(findCluster({ data }, 'coordinator', 'artifact', 'tuner')).toEqual(LOCAL);
  process.env['LOCKSTEP_TUNER'] = 'environment:3';
  expect(findCluster({ data }, 'coordinator', 'tuner')).toEqual({ coordinator: 'local:1', tuner: 'environment:3' });
  expect(findCluster({ data, tuner: 'flag:3' }, 'tuner')).toEqual({ tuner: 'flag:3' });
});

test('a command needs the services that it talks to, and no others', () => {
  expect(findCluster({ data, tuner: 'flag:3' }, 'tuner')).toEqual({ tuner: 'flag:3' });
  expect(() => findCluster({ data, tuner: 'flag:3' }, 'tuner', 'artifact')).toThrow(/^no cluster runs on /);
});

test('a cluster that has gone is not found, whether it said so or not', () => {
  announceCluster(data, LOCAL);
  retractCluster(data);
  expect(() => findCluster({ data }, 'tuner')).toThrow(/^no cluster runs on /);
  writeFileSync(join(data, 'cluster.json'), JSON.stringify({ ...LOCAL, pid: 2 ** 22 + 1 }));
  expect(() => findCluster({ data }, 'tuner')).toThrow(/^no cluster runs on /);
});
