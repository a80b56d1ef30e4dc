// Suite `train`: two of our workers against TensorFlow's MultiWorkerMirroredStrategy on the MLP 784-512-512-10, one math thread a process.
// One process of either is printed beside them and not judged.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { foreignEnvironment } from '../foreign/foreign.mjs';
import { BenchError } from './lib/bench-error.mjs';
import { judge } from './lib/compare.mjs';
import { startContender } from './lib/contender.mjs';
import { freePorts, startGroup } from './lib/group.mjs';
import { summarize } from './lib/statistics.mjs';

/** What must be built before. */
export const needs = ['libs/backend', 'libs/exchange', 'libs/training'];

const REPLICA_ROWS = 128;
const WORLD_SIZE = 2;
const ROUNDS = 15;
const QUICK_ROUNDS = 4;
const STEPS = 60;
const INSTALL_HINT = 'install it with: node integration/foreign/install.mjs';

const member = fileURLToPath(new URL('./lib/train-member.mjs', import.meta.url));
const tensorflow = fileURLToPath(new URL('./train-tensorflow.py', import.meta.url));

/** @returns the rows {name, ours, rival, unit, ratio, target, pass} */
export async function suite({ quick, report }) {
  const python = requirePython();
  const both = WORLD_SIZE * REPLICA_ROWS;
  const field = {
    ours: { rows: both, start: () => startOurs('ours, 2 workers, V=2', { worldSize: WORLD_SIZE, replicas: WORLD_SIZE, rows: both }) },
    rival: { rows: both, start: () => startMirrored(python, 'MultiWorkerMirroredStrategy, 2 processes', both, 'dataset') },
    rivalResident: { rows: both, start: () => startMirrored(python, 'the same without its input pipeline', both, 'resident') },
    oursOne: { rows: both, start: () => startOurs('ours, 1 worker, V=2, batch 256', { worldSize: 1, replicas: WORLD_SIZE, rows: both }) },
    oursPlain: { rows: REPLICA_ROWS, start: () => startOurs('ours, 1 worker, V=1, batch 128', { worldSize: 1, replicas: 1, rows: REPLICA_ROWS }) },
    tensorflowBoth: { rows: both, start: () => startContender(tensorflowOptions(python, 'TensorFlow, 1 process, batch 256', both, 'dataset')) },
    tensorflowOne: { rows: REPLICA_ROWS, start: () => startContender(tensorflowOptions(python, 'TensorFlow, 1 process, batch 128', REPLICA_ROWS, 'dataset')) },
  };
  const { ours, rival, ...beside } = await measureInTurns(field, quick ? QUICK_ROUNDS : ROUNDS, report);
  const name = 'MLP 784-512-512-10, two workers, global batch 256, one thread each';
  report(name);
  const row = judge({ name, unit: 'samples/s', better: 'higher', target: 1 }, ours.samples, rival.samples, report);
  report('beside them, samples/s:');
  for (const { label, samples } of Object.values(beside)) {
    const { median, p10, p90 } = summarize(samples);
    report(`  ${label}: ${median.toFixed(0)} (p10 ${p10.toFixed(0)}, p90 ${p90.toFixed(0)})`);
  }
  return [row];
}

/** Starts everyone, measures in rounds that alternate their order, stops everyone. @returns {label, samples} by name, in samples a second */
async function measureInTurns(field, rounds, report) {
  const running = [];
  try {
    for (const [key, { rows, start }] of Object.entries(field)) {
      const contender = await start();
      report(`ready: ${contender.name} (${contender.about})`);
      running.push({ key, rows, contender, samples: [] });
    }
    // The first measurement makes rows and compiles: not counted.
    for (const { contender } of running) await contender.measure(STEPS);
    for (let round = 0; round < rounds; round++) {
      for (const { rows, contender, samples } of round % 2 === 0 ? running : running.toReversed()) {
        samples.push((rows * STEPS * 1000) / await contender.measure(STEPS));
      }
    }
    return Object.fromEntries(running.map(({ key, contender, samples }) => [key, { label: contender.name, samples }]));
  } finally {
    await Promise.all(running.map(({ contender }) => contender.stop()));
  }
}

/** @throws BenchError that says how to install the rival */
function requirePython() {
  const { LOCKSTEP_PYTHON: python, LOCKSTEP_PYTHON_MISSING: why } = process.env.LOCKSTEP_PYTHON ? process.env : foreignEnvironment(process.env);
  if (!python) throw new BenchError(`the rival, TensorFlow for Python with tf_keras, is missing: ${why}; ${INSTALL_HINT}`);
  try {
    execFileSync(python, ['-c', 'import tensorflow, tf_keras'], { stdio: ['ignore', 'ignore', 'pipe'], env: quietEnvironment() });
  } catch (error) {
    const lastLine = String(error.stderr ?? error.message).trim().split('\n').at(-1);
    throw new BenchError(`the rival is missing: ${python} cannot import tensorflow and tf_keras (${lastLine}); ${INSTALL_HINT}`);
  }
  return python;
}

async function startOurs(name, { worldSize, replicas, rows }) {
  const addresses = (await freePorts(worldSize)).map((port) => `127.0.0.1:${port}`);
  return startGroup(name, addresses.map((_address, rank) => ({
    name: `${name}, rank ${rank}`, file: process.execPath, argv: [member, JSON.stringify({ rank, addresses, replicas, rows })],
  })));
}

async function startMirrored(python, name, rows, pipeline) {
  const worker = (await freePorts(WORLD_SIZE)).map((port) => `127.0.0.1:${port}`);
  return startGroup(name, worker.map((_address, index) => {
    const options = tensorflowOptions(python, `${name}, worker ${index}`, rows, pipeline);
    return { ...options, env: { ...options.env, TF_CONFIG: JSON.stringify({ cluster: { worker }, task: { type: 'worker', index } }) } };
  }));
}

const tensorflowOptions = (python, name, rows, pipeline) => ({ name, file: python, argv: [tensorflow, String(rows), pipeline], env: quietEnvironment() });

function quietEnvironment() {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '-1' };
  delete env.TF_CONFIG; // of a cluster that is not this benchmark's
  return env;
}
