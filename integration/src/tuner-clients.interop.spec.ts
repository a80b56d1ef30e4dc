/** Clients in other languages against a tuner: they know the .proto files and nothing of ours. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './fixtures';
import { describeWithPython, runPython } from './foreign';
import { TunerProcess } from './tuner-process';

const TIMEOUT_MS = 240_000;
/** Go fetches and compiles gRPC when it runs for the first time. */
const GO_TIMEOUT_MS = 900_000;
const GO_FETCH_TIMEOUT_MS = 180_000;
const PROTOS = join(ROOT, 'protos');
const lastLine = (stdout: string): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

describeWithPython('a Python client', () => {
  const tuner = new TunerProcess();
  beforeAll(() => tuner.start(), TIMEOUT_MS);
  afterAll(() => tuner.stop(), TIMEOUT_MS);

  test('with the protos alone asks, tells, and watches; Bayesian optimisation finds the minimum', async () => {
    const { stdout } = await runPython(join(ROOT, 'integration', 'clients', 'python', 'search.py'), ['--tuner', tuner.address, '--protos', PROTOS], { timeoutMs: TIMEOUT_MS });
    const told = lastLine(stdout) as { violations: string[]; same_study: boolean; best: number; state: string; succeeded: number; events: string[] };
    expect(told.violations).toEqual(['spec.space', 'spec.objectives', 'spec.algorithm']);
    expect([told.same_study, told.state, told.succeeded]).toEqual([true, 'completed', 25]);
    // Branin's minimum is 0.3979; of 25 random points the best is above 1 as a rule.
    expect(told.best).toBeLessThan(0.6);
    expect([told.events[0], told.events.at(-1), told.events.filter((event) => event === 'trial_changed').length]).toEqual(['created', 'updated', 50]);
  }, TIMEOUT_MS);
});

/** Why there is no Go client, or undefined: it needs the command and, for the first time, the registry of its modules. */
function goMissing(): string | undefined {
  const needed: readonly (readonly [string, ...string[]])[] = [
    ['version'], ['mod', 'download'],
    ['run', 'google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.10', '--version'], ['run', 'google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1', '--version'],
  ];
  for (const args of needed) {
    const { status, error, stderr } = spawnSync('go', args, { cwd: join(ROOT, 'integration', 'clients', 'go'), encoding: 'utf8', timeout: GO_FETCH_TIMEOUT_MS });
    if (status !== 0) return `go ${args[0]}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`;
  }
  return undefined;
}

const missing = goMissing();
const describeWithGo = (title: string, body: () => void): void => (missing === undefined ? describe(title, body) : describe.skip(`${title} (skipped: ${missing})`, body));

describeWithGo('a Go client', () => {
  const run = promisify(execFile);
  const tuner = new TunerProcess();
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-go-'));
  beforeAll(() => tuner.start(), TIMEOUT_MS);
  afterAll(async () => {
    await tuner.stop();
    rmSync(folder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  test('with the protos alone asks and tells, four workers at once', async () => {
    cpSync(join(ROOT, 'integration', 'clients', 'go'), folder, { recursive: true });
    const buf = join(dirname(require.resolve('@bufbuild/buf/package.json')), 'bin', 'buf');
    const options = { cwd: folder, timeout: GO_TIMEOUT_MS, maxBuffer: 64 << 20 };
    await run(process.execPath, [buf, 'generate', PROTOS, ...['tuner', 'coordinator'].flatMap((name) => ['--path', join(PROTOS, 'lockstep', name)])], options);
    await run('go', ['build', '-o', 'search', '.'], options);
    const { stdout } = await run(join(folder, 'search'), [tuner.address, 'go'], options);
    const told = lastLine(stdout) as { best: number; succeeded: number; completed: boolean };
    expect(told).toMatchObject({ succeeded: 20, completed: true });
    expect(told.best).toBeLessThan(4);
  }, GO_TIMEOUT_MS);
});
