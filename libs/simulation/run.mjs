#!/usr/bin/env node
// Runs seeds of the simulation; `--help` says how. Needs a build: npx tsc -b libs/simulation
import { createRequire } from 'node:module';

const { main } = createRequire(import.meta.url)('./dist/main.js');
process.exitCode = main(process.argv.slice(2), (text) => process.stdout.write(text), () => performance.now());
