#!/usr/bin/env node
// Generates src/gen from protos/ with buf and protoc-gen-es. Skips the work when nothing changed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const protos = path.resolve(here, '..', '..', 'protos');
const out = path.join(here, 'src', 'gen');
const stamp = path.join(out, '.stamp');
const require = createRequire(import.meta.url);
const binOf = (name, bin) => path.join(path.dirname(require.resolve(`${name}/package.json`)), require(`${name}/package.json`).bin[bin]);

const hash = createHash('sha256').update(fs.readFileSync(fileURLToPath(import.meta.url)));
for (const file of fs.readdirSync(protos, { recursive: true }).sort()) {
  if (/\.(proto|yaml)$/.test(file)) hash.update(file).update(fs.readFileSync(path.join(protos, file)));
}
const key = hash.digest('hex');
if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === key) process.exit(0);

fs.rmSync(out, { recursive: true, force: true });
const template = {
  version: 'v2',
  plugins: [{ local: [process.execPath, binOf('@bufbuild/protoc-gen-es', 'protoc-gen-es')], out, opt: ['target=ts', 'json_types=false'] }],
};
execFileSync(process.execPath, [binOf('@bufbuild/buf', 'buf'), 'generate', '--template', JSON.stringify(template), protos], { stdio: 'inherit' });
fs.writeFileSync(stamp, key);
