#!/usr/bin/env node
// Compiles kernel.wat to src/arena/kernel-binary.ts. Run after a change of kernel.wat; --print writes to standard output instead.
import fs from 'node:fs';
import wabt from 'wabt';

const { parseWat } = await wabt();
const source = fs.readFileSync(new URL('kernel.wat', import.meta.url), 'utf8');
const module = parseWat('kernel.wat', source, { simd: true, threads: true, bulk_memory: true });
const binary = Buffer.from(module.toBinary({}).buffer);
module.destroy();
if (!globalThis.WebAssembly.validate(binary)) throw new Error('kernel.wat compiles to a module that is not valid');

const lines = binary.toString('base64').match(/.{1,100}/g).map((line) => `  '${line}',`);
const text = `// Generated from kernel/kernel.wat by kernel/generate.mjs.

/** The WebAssembly module of the add kernel, in base64. */
export const KERNEL_BASE64 = [
${lines.join('\n')}
].join('');
`;
if (process.argv.includes('--print')) process.stdout.write(text);
else fs.writeFileSync(new URL('../src/arena/kernel-binary.ts', import.meta.url), text);
