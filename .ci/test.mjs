#!/usr/bin/env node
// `npm test` and `npm run test:interop`: native set-up (best effort), build, then every test of the chosen kind.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { foreignEnvironment } from '../integration/foreign/foreign.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const args = process.argv.slice(2);
const interop = args.includes('--interop');
const rest = args.filter((a) => a !== '--interop');
const run = (argv, env = {}) => spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;
const must = (argv) => { const code = run(argv); if (code !== 0) process.exit(code); };

must(['libs/backend/native/native.mjs', '--best-effort']);
must(['libs/contract/generate.mjs']);
must(['node_modules/typescript/bin/tsc', '-b']);
if (interop) must(['integration/foreign/install.mjs']);
process.exit(run(['node_modules/jest/bin/jest.js', ...rest], {
  ...(interop ? foreignEnvironment(process.env) : {}),
  LOCKSTEP_TESTS: interop ? 'interop' : 'node', TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '2',
}));
