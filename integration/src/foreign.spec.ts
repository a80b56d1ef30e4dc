import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findForeignPython, runPython } from './foreign';

const FOREIGN = path.join(__dirname, '..', 'foreign');

describe('foreign programs', () => {
  let scratch: string;
  beforeEach(() => { scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-foreign-')); });
  afterEach(() => { fs.rmSync(scratch, { recursive: true, force: true }); });

  test.each([
    ['LOCKSTEP_PYTHON', { LOCKSTEP_PYTHON: process.execPath }, { kind: 'installed', executable: process.execPath }],
    ['a failed installation', { LOCKSTEP_PYTHON: '', LOCKSTEP_PYTHON_MISSING: 'no pip' }, { kind: 'missing', why: 'no pip' }],
    ['LOCKSTEP_PYTHON that is not there', { LOCKSTEP_PYTHON: '/none/python' }, { kind: 'missing', why: '/none/python does not exist; run node integration/foreign/install.mjs' }],
    ['an empty cache', { LOCKSTEP_FOREIGN_CACHE: '/none' }, { kind: 'missing', why: '/none/current/bin/python does not exist; run node integration/foreign/install.mjs' }],
    ['another user cache', { XDG_CACHE_HOME: '/none' }, { kind: 'missing', why: '/none/lockstep/foreign/current/bin/python does not exist; run node integration/foreign/install.mjs' }],
  ])('findForeignPython: %s', (_case, env, expected) => {
    expect(findForeignPython(env)).toEqual(expected);
  });

  test('an installation in LOCKSTEP_FOREIGN_CACHE is found without LOCKSTEP_PYTHON', () => {
    const executable = path.join(scratch, 'current', 'bin', 'python');
    fs.mkdirSync(path.dirname(executable), { recursive: true });
    fs.writeFileSync(executable, '');
    expect(findForeignPython({ LOCKSTEP_FOREIGN_CACHE: scratch })).toEqual({ kind: 'installed', executable });
  });

  test.each([
    ['no Python at all', undefined, /^no Python from 3\.10 to 3\.13 with venv and ensurepip \(no python3 at all\); install it/],
    ['a Python that is too old', '#!/bin/sh\necho 3 8\n', /\(python3 is 3\.8\)/],
    ['a Python without venv', '#!/bin/sh\necho "No module named ensurepip" >&2\nexit 1\n', /\(python3 exited with 1: No module named ensurepip\)/],
  ])('install.mjs with %s names it, leaves it for the tests, and does not fail', (_case, python, why) => {
    if (python !== undefined) fs.writeFileSync(path.join(scratch, 'python3'), python, { mode: 0o755 });
    const cache = path.join(scratch, 'cache');
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(FOREIGN, 'install.mjs')], {
      env: { PATH: scratch, LOCKSTEP_FOREIGN_CACHE: cache }, encoding: 'utf8', timeout: 30_000,
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/the tests that need it are skipped: no Python from/);
    const report: unknown = JSON.parse(fs.readFileSync(path.join(cache, 'foreign.json'), 'utf8'));
    expect(report).toEqual({ python: { kind: 'missing', why: expect.stringMatching(why) as unknown } });
  });

  const run = (program: string, env: Record<string, string>, timeoutMs = 30_000): ReturnType<typeof runPython> => {
    const script = path.join(scratch, 'script.cjs');
    fs.writeFileSync(script, program);
    return runPython(script, ['a', 'b'], { timeoutMs, env });
  };

  test('runPython hands arguments over and output back', async () => {
    const program = 'console.log(process.argv.slice(2).join()); console.error(process.env.TF_CPP_MIN_LOG_LEVEL)';
    expect(await run(program, { LOCKSTEP_PYTHON: process.execPath })).toEqual({ stdout: 'a,b\n', stderr: '2\n' });
  });

  test.each([
    ['a script that fails', 'console.error("bad shape"); process.exit(7)', 30_000, { reason: 'FAILED', message: /exited with 7: bad shape/ }],
    ['a script that never ends', 'setInterval(() => {}, 1000)', 100, { reason: 'TIMED_OUT', message: /was stopped after 100 ms/ }],
  ])('runPython: %s', async (_case, program, timeoutMs, { reason, message }) => {
    await expect(run(program, { LOCKSTEP_PYTHON: process.execPath }, timeoutMs)).rejects.toMatchObject({ reason, message: expect.stringMatching(message) as unknown });
  });

  test('runPython without Python', async () => {
    await expect(run('', { LOCKSTEP_PYTHON_MISSING: 'no pip' })).rejects.toMatchObject({ reason: 'MISSING', message: 'Python with TensorFlow is missing: no pip' });
  });
});
