#!/usr/bin/env node
// `npm run check`: what a developer runs before a commit. Lint with layers, types, protos; cached by Nx.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const steps = [
  ['protos lint', ['node_modules/@bufbuild/buf/bin/buf', 'lint', 'protos']],
  ['generate', ['libs/contract/generate.mjs']],
  ['types', ['node_modules/typescript/bin/tsc', '-b']],
  // What users would write: bundled as it is, and never built.
  ...['demo', 'modules'].map((folder) => [`types of integration/${folder}`, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', `integration/${folder}`]]),
  ['lint', ['node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'lint', '--output-style=stream', ...process.argv.slice(2)]],
];
for (const [name, argv] of steps) {
  console.log(`check: ${name}`);
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' });
  if (status !== 0) { console.error(`check: ${name} failed`); process.exit(status ?? 1); }
}
