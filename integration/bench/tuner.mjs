// Suite `tuner`: 500 clients that ask and tell, at the rate that is asked of a tuner and as fast as it answers; and whether its memory stays
// flat over 100,000 trials. There is no rival in it: KerasTuner's chief answers one call at a time, and Optuna's server searches in its clients.
// The clients (tuner-load/) are in Go: as a process of Node they took more than half a core of those that the tuner runs on, and their own event loop
// added up to 20 ms to the p99 that they measured.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BenchError } from './lib/bench-error.mjs';
import { goProgram } from './lib/go-program.mjs';
import { summarize } from './lib/statistics.mjs';

export const needs = ['services/tuner'];

const here = path.dirname(fileURLToPath(import.meta.url));
const TUNER = path.join(here, '..', '..', 'services', 'tuner', 'dist', 'main.js');
const CLIENTS = 500;
/** Mean time that a client takes between two calls: 500 of them, who also wait at the end of each study, make a little more than 1,000 calls a second then. */
const THINK_MS = 460;
/** Until everybody is at work: 500 clients that come in one moment are another load. */
const RAMP_SECONDS = 10;
const FULL = { rounds: 5, seconds: 20, trials: 100_000 };
const QUICK = { rounds: 1, seconds: 10, trials: 5_000 };
const TARGETS = { rpcsPerSecond: 1000, p99Ms: 50, memory: 1.25 };

const digits = (value) => Number(value.toPrecision(3));
const row = (name, ours, unit, target, pass) => ({ name, ours: digits(ours), rival: null, unit, ratio: null, target, pass });

/** A tuner for the measurements, gone with them. */
async function startTuner() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-bench-tuner-'));
  const child = spawn(process.execPath, [TUNER, '--listen', '127.0.0.1:0', '--data', folder, '--log-level', 'warn'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new BenchError(`the tuner ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  return {
    address: JSON.parse(line).listening,
    residentMiB: () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024,
    stop: async () => {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the clients to their end. @param program tuner-load @param onProgress called with the trials that have ended so far */
async function load(program, plan, onProgress = () => undefined) {
  const child = spawn(program, [JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = line;
    const { progress } = JSON.parse(line);
    if (progress !== undefined) onProgress(progress);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new BenchError(`the clients ended with ${code}`);
  return JSON.parse(last);
}

const shown = ({ rpcs, seconds, trials, p50Ms, p99Ms, maxMs }) =>
  `${(rpcs / seconds).toFixed(0)} calls/s, ${(trials / seconds).toFixed(0)} trials/s, latency p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(0)} ms`;

/** 500 clients at the rate that is asked of a tuner; the median of several rounds, since the machine is shared. */
async function paced(program, tuner, { rounds, seconds }, report) {
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    const one = await load(program, { address: tuner.address, clients: CLIENTS, thinkMs: THINK_MS, rampSeconds: RAMP_SECONDS, seconds });
    report(`${CLIENTS} clients that take ${THINK_MS} ms between calls: ${shown(one)}`);
    measured.push(one);
  }
  const rate = summarize(measured.map(({ rpcs, seconds: counted }) => rpcs / counted));
  const p99 = summarize(measured.map(({ p99Ms }) => p99Ms));
  report(`of ${rounds}: ${rate.median.toFixed(0)} calls/s (${rate.p10.toFixed(0)} to ${rate.p90.toFixed(0)}), p99 ${p99.median.toFixed(1)} ms (${p99.p10.toFixed(1)} to ${p99.p90.toFixed(1)})`);
  return [
    row('calls a second, 500 clients', rate.median, '1/s', TARGETS.rpcsPerSecond, rate.median >= TARGETS.rpcsPerSecond),
    row('p99 at that rate', p99.median, 'ms', TARGETS.p99Ms, p99.median < TARGETS.p99Ms),
  ];
}

/** As fast as it answers, and its memory meanwhile. */
async function flood(program, tuner, { trials }, report) {
  const memory = [];
  const measured = await load(program, { address: tuner.address, clients: CLIENTS, trials }, (ended) => memory.push({ ended, mib: tuner.residentMiB() }));
  report(`${CLIENTS} clients that ask at once: ${shown(measured)}`);
  // The first tenth fills caches and heaps.
  const settled = memory.filter(({ ended }) => ended > trials / 10);
  const third = Math.max(1, Math.floor(settled.length / 3));
  const mean = (some) => some.reduce((sum, { mib }) => sum + mib, 0) / some.length;
  const growth = mean(settled.slice(-third)) / mean(settled.slice(0, third));
  report(`resident memory over ${trials} trials: ${settled.filter((_, i) => i % Math.ceil(settled.length / 8) === 0).map(({ ended, mib }) => `${ended}: ${mib.toFixed(0)} MiB`).join(', ')}`);
  const rate = measured.rpcs / measured.seconds;
  return [
    row('calls a second, as fast as they are answered', rate, '1/s', TARGETS.rpcsPerSecond, rate >= TARGETS.rpcsPerSecond),
    row('memory at the end over memory at the beginning', growth, 'x', TARGETS.memory, growth <= TARGETS.memory),
  ];
}

/** Each returns rows {name, ours, rival, unit, ratio, target, pass}. */
export const parts = Object.fromEntries(Object.entries({ paced, flood }).map(([name, measure]) => [name, async ({ quick, report }) => {
  const program = await goProgram(path.join(here, 'tuner-load'), ['tuner', 'coordinator'], report);
  const tuner = await startTuner();
  try {
    return await measure(program, tuner, quick ? QUICK : FULL, report);
  } finally {
    await tuner.stop();
  }
}]));
