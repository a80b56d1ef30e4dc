// Suite `exchange`: all-reduce of two processes over gRPC against gloo (Debian's python3-torch), in alternating blocks.
// Run as a child (`exchange.mjs --member`) it is one of our two processes.
import { execFileSync, spawn } from 'node:child_process';
import net from 'node:net';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BenchError } from './lib/bench-error.mjs';
import { judge } from './lib/compare.mjs';

const WORLD_SIZE = 2;
const BLOCKS = 8;
/** Debian's interpreter: python3-torch installs for no other. */
const PYTHON = '/usr/bin/python3';
const CASES = [
  { name: 'all-reduce 64 MB', bytes: 64e6, warmUp: 1, rounds: 4, target: 1.7 },
  { name: 'all-reduce 4 MB', bytes: 4e6, warmUp: 5, rounds: 20, target: 1.2 },
  { name: 'all-reduce 4 KB', bytes: 4096, warmUp: 20, rounds: 100, target: 0.6 },
];

/** What must be built before. */
export const needs = ['libs/exchange'];

/** @returns the rows {name, ours, rival, unit, ratio, target, pass} */
export async function suite({ quick, report }) {
  requireTorch();
  const groups = [];
  try {
    const ours = await startOurs();
    groups.push(ours);
    const gloo = await startGloo();
    groups.push(gloo);
    const rows = [];
    for (const { name, target, ...one } of CASES) {
      const samples = new Map(groups.map((group) => [group, []]));
      report(`${name}: two processes over gRPC against gloo`);
      // Connections and just-in-time compilers come into their stride: both sides, not measured.
      for (const group of groups) await group.run({ ...one, rounds: one.rounds * 3 });
      for (let block = 0; block < (quick ? 3 : BLOCKS); block++) {
        // Whoever goes first in a block goes second in the next.
        for (const group of block % 2 === 0 ? [ours, gloo] : [gloo, ours]) samples.get(group).push(...await group.run(one));
      }
      rows.push(judge({ name, unit: 'ms', better: 'lower', target }, samples.get(ours), samples.get(gloo), report));
    }
    return rows;
  } finally {
    for (const group of groups) group.stop();
  }
}

function requireTorch() {
  try {
    execFileSync(PYTHON, ['-c', 'import torch.distributed'], { stdio: 'ignore' });
  } catch {
    throw new BenchError(`the rival is missing: ${PYTHON} cannot import torch. On Debian: apt-get install -y --no-install-recommends python3-torch`);
  }
}

/** Child processes that take `bytes warm-up rounds` lines and answer with a JSON list. */
function startGroup(commands) {
  const children = commands.map(({ file, args, env }) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined); // Its exit says more.
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const exited = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`${file} ${args.join(' ')} ended with ${signal ?? code}`)));
    });
    exited.catch(() => undefined);
    return { child, next: async () => (await Promise.race([lines.next(), exited])).value };
  });
  return {
    children,
    run: async ({ bytes, warmUp, rounds }) => {
      for (const { child } of children) child.stdin.write(`${bytes} ${warmUp} ${rounds}\n`);
      const [first] = await Promise.all(children.map(({ next }) => next()));
      return JSON.parse(first);
    },
    stop: () => {
      for (const { child } of children) child.kill('SIGKILL');
    },
  };
}

async function startGloo() {
  const port = await freePort();
  const script = fileURLToPath(new URL('gloo.py', import.meta.url));
  const group = startGroup(Array.from({ length: WORLD_SIZE }, (_, rank) => ({
    file: PYTHON, args: [script],
    env: { RANK: `${rank}`, WORLD_SIZE: `${WORLD_SIZE}`, MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}`, GLOO_SOCKET_IFNAME: 'lo' },
  })));
  await Promise.all(group.children.map(({ next }) => next()));
  return group;
}

async function startOurs() {
  const group = startGroup(Array.from({ length: WORLD_SIZE }, (_, rank) => ({
    file: process.execPath, args: [fileURLToPath(import.meta.url), '--member', `${rank}`], env: {},
  })));
  const addresses = await Promise.all(group.children.map(({ next }) => next()));
  for (const { child } of group.children) child.stdin.write(`${JSON.stringify(addresses)}\n`);
  await Promise.all(group.children.map(({ next }) => next()));
  return group;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function member(rank) {
  const { createExchange } = await import('@lockstep/exchange');
  const exchange = await createExchange();
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log(exchange.address);
  const addresses = JSON.parse((await lines.next()).value);
  const collective = await exchange.configure({
    job: 'jobs/bench', generation: 1n, rank, token: Buffer.from('bench'), replicas: addresses.length,
    members: addresses.map((address, i) => ({ rank: i, address, range: { from: i, to: i + 1 } })),
  });
  console.log('ready');
  const present = addresses.map(() => true);
  let step = 0;
  const allReduce = (length, fill) => {
    collective.begin({ position: { call: 0, epoch: 0, phase: 'TRAIN', step: step++ }, bucketLengths: [length], present });
    if (fill) collective.input(0, 0).fill(1);
    collective.submit(0);
    return collective.wait(0);
  };
  for await (const line of lines) {
    const [bytes, warmUp, rounds] = line.split(' ').map(Number);
    const times = [];
    allReduce(bytes / 4, true);
    for (let i = 0; i < warmUp + rounds; i++) {
      allReduce(16, true); // The barrier.
      const start = performance.now();
      const sum = allReduce(bytes / 4, false);
      if (i >= warmUp) times.push(performance.now() - start);
      if (sum[sum.length - 1] !== addresses.length) throw new Error('added wrongly');
    }
    console.log(JSON.stringify(times));
  }
}

if (process.argv[2] === '--member') await member(Number(process.argv[3]));
