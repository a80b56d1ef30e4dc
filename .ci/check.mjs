#!/usr/bin/env node
// `npm run check`: what a developer runs before a commit. Lint with layers, types, protos; lint is cached by Nx.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const TSC = 'node_modules/typescript/bin/tsc';

/** Runs a step and gives its exit status; what it prints comes as it is printed, or in one piece at its end. */
function run(name, argv, { inOnePiece = false } = {}) {
  console.log(`check: ${name}`);
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', inOnePiece ? 'pipe' : 'inherit', inOnePiece ? 'pipe' : 'inherit'] });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => printed.push(bytes));
  return new Promise((resolve) => {
    child.once('error', (e) => {
      console.error(`check: ${name} could not be started: ${e.message}`);
      resolve(1);
    });
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(printed));
      if (code !== 0) console.error(`check: ${name} failed`);
      resolve(code ?? 1);
    });
  });
}

/** Runs steps one after another until one fails. */
async function inTurn(steps) {
  for (const [name, argv] of steps) {
    const status = await run(name, argv);
    if (status !== 0) return status;
  }
  return 0;
}

const first = await inTurn([
  ['protos lint', ['node_modules/@bufbuild/buf/bin/buf', 'lint', 'protos']],
  ['generate', ['libs/contract/generate.mjs']],
]);
if (first !== 0) process.exit(first);

// Lint reads the sources alone, so it need not wait for what is compiled. Nx runs it, because the rule of the layers reads the graph that Nx makes.
const lint = run('lint', ['node_modules/nx/dist/bin/nx.js', 'run', '@lockstep/integration:lint-all', '--output-style=stream', ...process.argv.slice(2)], { inOnePiece: true });
const types = inTurn([
  ['types', [TSC, '-b']],
  // What users would write: bundled as it is, and never built.
  ...['demo', 'modules'].map((folder) => [`types of integration/${folder}`, [TSC, '--noEmit', '-p', `integration/${folder}`]]),
]);
const statuses = await Promise.all([types, lint]);
process.exit(Math.max(...statuses));
