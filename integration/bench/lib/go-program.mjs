// Builds the Go programs of the benchmarks, once for each content of their sources, in the user's cache: nothing is written into the repository.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCache, publish, withLock } from '../../../libs/backend/native/cache.mjs';
import { describeOutcome, runCommand } from '../../../libs/backend/native/command.mjs';
import { foreignCache } from '../../foreign/foreign.mjs';
import { BenchError } from './bench-error.mjs';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const PROTOS = path.join(repository, 'protos');
const BUF = path.join(repository, 'node_modules', '@bufbuild', 'buf', 'bin', 'buf');
const PROBE_TIMEOUT_MS = 60_000;
/** The first time Go fetches and compiles gRPC and the generators. */
const BUILD_TIMEOUT_MS = 15 * 60_000;
const UNUSED_MAX_MS = 30 * 24 * 3600_000;

/**
 * A Go module as a program, with messages and stubs of the .proto files in its folder gen.
 * @param {string} sources folder with go.mod, go.sum, buf.gen.yaml and the .go files
 * @param {readonly string[]} packages of protos/lockstep that it needs
 * @param {(line: string) => void} report
 * @returns {Promise<string>} the executable
 * @throws BenchError when there is no Go, or when it cannot be built
 */
export async function goProgram(sources, packages, report) {
  const name = path.basename(sources);
  const go = await describeGo(name, sources);
  const root = path.join(foreignCache(process.env), 'go-programs');
  openCache(root, 'LOCKSTEP_FOREIGN_CACHE');
  const program = path.join(root, `${name}-${digest(go, packages, sources)}`);
  return withLock(root, (holder) => { report(`waiting for ${holder}, which builds the same`); }, async () => {
    if (!fs.existsSync(program)) {
      report(`building ${name} with ${go} (about a minute the first time)`);
      await build(name, sources, packages, program);
    }
    fs.utimesSync(program, new Date(), new Date()); // says that it was used today
    forgetUnused(root, name);
    return program;
  });
}

/** Version and platform, such as "go1.25.4 linux amd64". */
async function describeGo(name, sources) {
  const outcome = await runCommand('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], { cwd: sources, env: process.env, timeoutMs: PROBE_TIMEOUT_MS });
  if (outcome.kind === 'exited' && outcome.code === 0) return outcome.stdout.trim().split('\n').join(' ');
  const [, needed] = /^go (\S+)$/m.exec(fs.readFileSync(path.join(sources, 'go.mod'), 'utf8'));
  throw new BenchError(`${name} is a Go program: install Go ${needed} or later (https://go.dev/dl), with \`go\` in the PATH; go ${describeOutcome(outcome, 1)}`);
}

/** Of all that the program is made from: what another compiler makes is another program. */
function digest(go, packages, sources) {
  const hash = createHash('sha256').update(JSON.stringify([go, packages]));
  for (const folder of [sources, PROTOS]) {
    const files = fs.readdirSync(folder, { recursive: true }).filter((name) => fs.statSync(path.join(folder, name)).isFile()).sort();
    for (const name of files) hash.update(`\0${name}\0`).update(fs.readFileSync(path.join(folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function build(name, sources, packages, program) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-go-'));
  const prepared = `${program}.${process.pid}`;
  try {
    fs.cpSync(sources, folder, { recursive: true });
    const paths = packages.flatMap((protos) => ['--path', path.join(PROTOS, 'lockstep', protos)]);
    await must(name, 'buf generate', process.execPath, [BUF, 'generate', PROTOS, ...paths, '--timeout', `${BUILD_TIMEOUT_MS}ms`], folder);
    await must(name, 'go build', 'go', ['build', '-o', prepared, '.'], folder);
    publish(prepared, program);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.rmSync(prepared, { force: true });
  }
}

async function must(name, what, file, argv, cwd) {
  const outcome = await runCommand(file, argv, { cwd, env: process.env, timeoutMs: BUILD_TIMEOUT_MS });
  if (outcome.kind !== 'exited' || outcome.code !== 0) throw new BenchError(`${name} could not be built: ${what} ${describeOutcome(outcome)}`);
}

/** Programs of other sources, of which no run made use for a month. */
function forgetUnused(root, name) {
  for (const entry of fs.readdirSync(root)) {
    const file = path.join(root, entry);
    if (entry.startsWith(`${name}-`) && Date.now() - fs.statSync(file).mtimeMs > UNUSED_MAX_MS) fs.rmSync(file, { force: true });
  }
}
