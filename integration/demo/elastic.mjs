#!/usr/bin/env node
// `npm run demo:elastic`: a job starts on two workers, loses one to kill -9, takes in two more, loses its coordinator, and commits the model that
// an undisturbed run on one worker makes.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { bold, cli, demo, root, say } from './scene.mjs';

const WORKER = path.join(root, 'services', 'worker', 'dist', 'main.js');
const train = (output, workers) => ['train', 'integration/demo/elastic.ts', '--examples', 'penguins', '--output', output, '--workers', workers, '--seed', '7'];

/** The processes that a process has started, with their command lines. */
function childrenOf(pid) {
  try {
    return execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split('\n')
      .map((line) => ({ pid: Number(line.trim().split(' ')[0]), args: `${line} ` }));
  } catch {
    return [];
  }
}

await demo(async (cluster) => {
  await cluster.up(2);
  cluster.lockstep(['examples', 'import', 'node_modules/vega-datasets/data/penguins.json', '--name', 'penguins', '--require', 'Beak Length (mm)']);
  say('\nFirst on one worker, undisturbed:');
  const expected = cluster.lockstep(train('undisturbed', '1'), { json: true }).at(-1).result;
  say(`digest     ${expected.modelDigest}`);

  const { coordinator } = JSON.parse(fs.readFileSync(path.join(cluster.data, 'cluster.json'), 'utf8'));
  const late = [];
  const act = (text, action) => {
    say(bold(`>>> ${text}`));
    action();
  };
  const serviceOf = (wanted) => childrenOf(cluster.process.pid).find(({ args }) => args.includes(wanted))?.pid;
  /** What happens, each as soon as the job shows the line before it. */
  const acts = [
    [/^epoch +2\//, () => act('kill -9 the process of w1, the chief', () => {
      for (const { pid } of childrenOf(serviceOf('--name w1 '))) process.kill(pid, 'SIGKILL');
    })],
    [/^epoch +6\//, () => act('two more workers: w3 and w4', () => {
      for (const name of ['w3', 'w4']) {
        late.push(spawn(process.execPath, [WORKER, '--coordinator', coordinator, '--name', name, '--data', path.join(cluster.data, name), '--log-level', 'error'], { stdio: ['ignore', 'ignore', 'inherit'] }));
      }
    })],
    [/^joined .*w[34]/, () => act('kill -9 the coordinator: training goes on while `up` starts it again', () => process.kill(serviceOf('services/coordinator/'), 'SIGKILL'))],
  ];
  const args = train('disturbed', '2:4');
  say(`\n${bold(`$ lockstep ${args.join(' ')}`)}`);
  const job = spawn(process.execPath, [cli, ...args], { cwd: root, env: cluster.env, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: job.stdout }).on('line', (line) => {
    say(line);
    if (acts[0]?.[0].test(line)) acts.shift()[1]();
  });
  const code = await new Promise((resolve) => job.once('close', resolve));
  for (const worker of late) worker.kill('SIGTERM');
  if (code !== 0) throw new Error(`the job ended with ${code}`);
  if (acts.length > 0) throw new Error(`the job ended before ${acts.length} of the things happened that were to happen`);
  const got = cluster.lockstep(['artifacts', 'show', 'disturbed'], { json: true, quiet: true })[0].digest;
  say(`\n${got === expected.modelDigest ? `Equal: ${got} is the digest of the undisturbed run too.` : `NOT equal: ${got}, undisturbed ${expected.modelDigest}`}`);
  return got === expected.modelDigest;
});
