import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readNativeReport } from './native-report';

const NATIVE = path.join(__dirname, '..', 'native');
const PYTHON = '#!/bin/sh\ncase "$*" in\n--version) echo Python 3.11.7;;\n"-m pip --version") echo pip 23.2.1;;\n*) echo "ERROR: no matching distribution" >&2; exit 1;;\nesac\n';
const PYTHON_WITHOUT_PIP = '#!/bin/sh\n[ "$1" = --version ] || { echo "No module named pip" >&2; exit 1; }\necho Python 3.11.7\n';
const COMPILER = '#!/bin/sh\necho 12.2.0\n';
const WASM_INSTEAD = /Lockstep uses the wasm backend instead/;

const here = `${process.platform}-${process.arch}`;
const describeNative = here === 'linux-x64' ? describe : describe.skip;

describeNative(`npm run native${here === 'linux-x64' ? '' : ` (skipped: it needs linux-x64, and this is ${here})`}`, () => {
  let scratch: string;
  beforeEach(() => { scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-native-')); });
  afterEach(() => { fs.rmSync(scratch, { recursive: true, force: true }); });

  /** Runs the set-up with an empty cache and nothing on PATH but `programs`. */
  function run(programs: Readonly<Record<string, string>>, flags: readonly string[], env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
    const bin = path.join(scratch, 'bin');
    fs.mkdirSync(bin);
    for (const [name, script] of Object.entries(programs)) fs.writeFileSync(path.join(bin, name), script, { mode: 0o755 });
    return spawnSync(process.execPath, [path.join(NATIVE, 'native.mjs'), ...flags], {
      env: { PATH: bin, HOME: scratch, LOCKSTEP_NATIVE_CACHE: path.join(scratch, 'cache'), ...env }, encoding: 'utf8', timeout: 60_000,
    });
  }

  const MISSING = [
    ['python3', {}, /python3 is needed to download TensorFlow's library from PyPI and is not there.*apt-get install python3 python3-pip/],
    ['pip', { python3: PYTHON_WITHOUT_PIP, 'g++': COMPILER }, /python3 has no pip.*No module named pip.*apt-get install python3-pip/],
    ['g++', { python3: PYTHON }, /g\+\+ is needed to compile tfjs-node's addon and is not there.*apt-get install g\+\+/],
    ['the download', { python3: PYTHON, 'g++': COMPILER }, /tensorflow-cpu 2\.21\.0 could not be downloaded from PyPI: pip exited with 1: ERROR: no matching distribution; check the network/],
  ] as const;

  test.each(MISSING)('without %s: a sentence, exit code 1, and nothing left in the cache', (_what, programs, sentence) => {
    const { status, stderr } = run(programs, []);
    expect(stderr.trim()).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
    expect(fs.readdirSync(path.join(scratch, 'cache'))).toEqual([]);
  });

  test.each(MISSING)('best effort without %s: the same in one line on stdout, exit code 0', (_what, programs, sentence) => {
    const { status, stdout, stderr } = run(programs, ['--best-effort']);
    const last = stdout.trim().split('\n').at(-1);
    expect(last).toMatch(sentence);
    expect(last).toMatch(WASM_INSTEAD);
    expect([status, stderr]).toEqual([0, '']);
  });

  test.each([[[]], [['--best-effort']]])('LOCKSTEP_NATIVE=0 with %j: one line, exit code 0, no cache', (flags) => {
    const { status, stdout, stderr } = run({}, flags, { LOCKSTEP_NATIVE: '0' });
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^native: not built: LOCKSTEP_NATIVE=0\. Lockstep uses the wasm backend instead/)]);
    expect([status, stderr]).toEqual([0, '']);
    expect(fs.existsSync(path.join(scratch, 'cache'))).toBe(false);
  });

  test.each([
    ['an unknown flag', ['--gup'], {}, 2, /--gup.*\n.*--help/],
    ['LOCKSTEP_NATIVE=off', [], { LOCKSTEP_NATIVE: 'off' }, 1, /LOCKSTEP_NATIVE is "off"; set it to 0/],
    ['a cache that is a file', [], { LOCKSTEP_NATIVE_CACHE: process.execPath }, 1, /cache folder .* cannot be written \(EEXIST\); set LOCKSTEP_NATIVE_CACHE/],
  ])('%s is refused', (_case, flags, env, code, message) => {
    const { status, stderr } = run({}, flags, env);
    expect(stderr).toMatch(message);
    expect(status).toBe(code);
  });

  test('the cache follows XDG_CACHE_HOME', async () => {
    const report = await readNativeReport({ PATH: '', HOME: scratch, XDG_CACHE_HOME: path.join(scratch, 'xdg') });
    expect(report.cache).toBe(path.join(scratch, 'xdg', 'lockstep', 'native'));
    expect([report.python, report.compiler].map((finding) => finding.kind === 'missing' ? finding.reason : finding.kind)).toEqual(['no-python', 'no-compiler']);
  });

  /** Takes the lock, writes two lines with the event loop let go in between, and releases it. */
  const CRITICAL = `
    import fs from 'node:fs';
    import { setImmediate as turn } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(path.join(NATIVE, 'cache.mjs'))};
    const [root, name] = process.argv.slice(1);
    await withLock(root, () => {}, async () => {
      fs.appendFileSync(root + '/log', name + ' in\\n');
      for (let i = 0; i < 100; i++) await turn();
      fs.appendFileSync(root + '/log', name + ' out\\n');
    });`;

  test('four set-ups at once pass the lock one after the other, past one that a dead process left', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    fs.writeFileSync(path.join(scratch, '.lock'), JSON.stringify({ pid: dead, host: os.hostname() }));
    const all = ['a', 'b', 'c', 'd'].map((name) => `"$0" --input-type=module -e "$1" "$2" ${name} &`).join(' ');
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `${all} wait`, process.execPath, CRITICAL, scratch], { encoding: 'utf8', timeout: 60_000 });
    expect([status, stderr]).toEqual([0, '']);
    const lines = fs.readFileSync(path.join(scratch, 'log'), 'utf8').trim().split('\n');
    expect(lines.filter((_, i) => i % 2 === 0).sort()).toEqual(['a in', 'b in', 'c in', 'd in']);
    expect(lines.filter((_, i) => i % 2 === 1)).toEqual(lines.filter((_, i) => i % 2 === 0).map((line) => line.replace('in', 'out')));
    expect(fs.readdirSync(scratch)).toEqual(['log']);
  });
});
