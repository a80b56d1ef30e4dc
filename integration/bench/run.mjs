#!/usr/bin/env node
// `npm run bench -- --suite NAME`: a suite compares us with a rival in one run, in alternating rounds. A measurement, never a test.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchError } from './lib/bench-error.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '..', '..');
const SUITES = fs.readdirSync(here).filter((name) => name.endsWith('.mjs') && name !== 'run.mjs').map((name) => name.slice(0, -'.mjs'.length)).sort();
/** Above this load for each core, what runs beside it shows in the figures. */
const LOAD_PER_CORE_MAX = 0.3;

const HELP = `Compares Lockstep with its rivals, in alternating rounds of one run: medians, spread (p10 to p90), ratio, target.

usage: npm run bench -- --suite NAME [--part PART]... [--quick] [--json]
  --suite NAME  ${SUITES.join(' | ')}
  --part PART   only this part of a suite that has parts; may be repeated
  --quick       fewer rounds: for a look, not for a figure
  --json        print nothing but the result (progress goes to stderr)
  --help        this text

The last line is JSON: {suite, rows: [{name, ours, rival, unit, ratio, target, pass}]}. The exit code says whether it was measured, not
whether targets were met.

example
  npm run bench -- --suite step`;

function refuse(message) {
  console.error(`bench: ${message}\nRun npm run bench -- --help for the flags.`);
  process.exit(2);
}

function readFlags() {
  const boolean = { type: 'boolean', default: false };
  try {
    return parseArgs({ options: { suite: { type: 'string' }, part: { type: 'string', multiple: true, default: [] }, quick: boolean, json: boolean, help: boolean }, strict: true }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const load = () => os.loadavg()[0];

/** Says under which load the figures are taken: a loaded machine measures its load. */
function gateOnLoad(when, report) {
  const cores = os.availableParallelism();
  const now = load();
  const busy = now > cores * LOAD_PER_CORE_MAX;
  report(`load ${when}: ${now.toFixed(2)} on ${cores} cores${busy ? '; WARNING: something else runs, and the figures show it. Repeat when it is quiet.' : ''}`);
}

/** Native backend where it can be had, generated types, and the projects of the suite. */
function build(needs, report) {
  const steps = [
    ['native backend', ['libs/backend/native/native.mjs', '--best-effort']],
    ['generated types', ['libs/contract/generate.mjs']],
    ['build', ['node_modules/typescript/bin/tsc', '-b', ...needs]],
  ];
  for (const [name, argv] of steps) {
    report(name);
    const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] });
    if (status !== 0) throw new BenchError(`${name} failed (node ${argv.join(' ')})`);
  }
}

/** A suite is one function, or parts that can be run one by one. */
function chosenParts(name, { suite, parts = { all: suite } }, wanted) {
  const names = Object.keys(parts);
  const unknown = wanted.find((part) => !names.includes(part));
  if (unknown !== undefined) refuse(`the suite ${name} has no part "${unknown}"; its parts are ${names.join(', ')}`);
  return names.filter((part) => wanted.length === 0 || wanted.includes(part)).map((part) => parts[part]);
}

async function run({ suite: name, part: wanted, quick }, report) {
  const module = await import(`./${name}.mjs`);
  const parts = chosenParts(name, module, wanted);
  build(module.needs ?? [], report);
  report(`node ${process.version}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, npm run bench -- --suite ${name}${wanted.map((part) => ` --part ${part}`).join('')}${quick ? ' --quick' : ''}`);
  gateOnLoad('before', report);
  const rows = [];
  for (const part of parts) rows.push(...await part({ quick, report }));
  gateOnLoad('after', report);
  console.log(JSON.stringify({ suite: name, rows }));
}

const flags = readFlags();
if (flags.help) {
  console.log(HELP);
} else {
  if (flags.suite === undefined) refuse(`--suite is missing; the suites are ${SUITES.join(', ')}`);
  if (!SUITES.includes(flags.suite)) refuse(`there is no suite "${flags.suite}"; the suites are ${SUITES.join(', ')}`);
  const report = flags.json ? (line) => { console.error(line); } : (line) => { console.log(line); };
  try {
    await run(flags, report);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  }
}
