import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { diagnose } from './diagnose';
import { gpuModel } from './gpu';
import { readNativeReport } from './native-report';

describe('diagnose', () => {
  test.each([['wasm'], ['cpu']])('LOCKSTEP_BACKEND=%s: what is used and why, with everything that a build would need', async (name) => {
    const diagnosis = await diagnose({ ...process.env, LOCKSTEP_BACKEND: name });
    expect(diagnosis.backend).toMatchObject({ name, why: `LOCKSTEP_BACKEND=${name} forces it`, faster: expect.any(String) as unknown });
    expect(diagnosis.versions).toEqual({ node: process.version, tfjs: '4.22.0' });
    for (const finding of ['platform', 'python', 'compiler', 'headers', 'addon'] as const) expect(['present', 'missing']).toContain(diagnosis.native[finding].kind);
  });

  test('an unknown LOCKSTEP_BACKEND is refused', async () => {
    await expect(diagnose({ ...process.env, LOCKSTEP_BACKEND: 'gpu' })).rejects.toMatchObject({ reason: 'UNKNOWN_BACKEND' });
  });
});

describe('readNativeReport', () => {
  let scratch: string;
  beforeEach(() => { scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-report-')); });
  afterEach(() => { fs.rmSync(scratch, { recursive: true, force: true }); });

  test.each([
    ['prints nothing', 'console.error("broken"); process.exit(3);', /gave no report .*broken/],
    ['speaks another version', 'console.log("{}")', /a report of another version; reinstall with npm ci/],
    ['leaves the addon out', 'console.log(JSON.stringify({ cache: "/c", libraries: [], platform: { ok: true }, python: { ok: true }, compiler: { ok: true }, headers: { ok: true } }))', /does not speak of addon/],
  ])('a tool that %s is NO_REPORT', async (_case, program, message) => {
    const tool = path.join(scratch, 'tool.cjs');
    fs.writeFileSync(tool, program);
    await expect(readNativeReport({}, tool)).rejects.toMatchObject({ reason: 'NO_REPORT', message: expect.stringMatching(message) as unknown });
  });

  test('a report is read with its facts and problems, also when the exit code says that the addon does not work', async () => {
    const tool = path.join(scratch, 'tool.cjs');
    const present = { ok: true, version: '1' };
    fs.writeFileSync(tool, `console.log(${JSON.stringify(JSON.stringify({
      cache: '/c', libraries: ['/c/l'], platform: { ok: true }, python: present, compiler: present, headers: present, addon: { ok: false, reason: 'does-not-load', problem: 'no AVX' },
    }))}); process.exitCode = 1;`);
    expect(await readNativeReport({}, tool)).toEqual({
      cache: '/c', libraries: ['/c/l'], platform: { kind: 'present', facts: {} },
      python: { kind: 'present', facts: { version: '1' } }, compiler: { kind: 'present', facts: { version: '1' } }, headers: { kind: 'present', facts: { version: '1' } },
      addon: { kind: 'missing', reason: 'does-not-load', problem: 'no AVX' },
    });
  });

  test.each([
    ['a driver with a GPU', { '0000:01:00.0': 'Model: \t\t NVIDIA H200\nIRQ: 5\n' }, 'NVIDIA H200'],
    ['a driver without GPUs', {}, undefined],
    ['a GPU without a model', { '0000:01:00.0': 'IRQ: 5\n' }, undefined],
  ])('gpuModel: %s', (_case, buses, model) => {
    for (const [bus, text] of Object.entries(buses)) {
      fs.mkdirSync(path.join(scratch, bus));
      fs.writeFileSync(path.join(scratch, bus, 'information'), text);
    }
    expect(gpuModel(scratch)).toBe(model);
  });

  test('gpuModel: no driver', () => {
    expect(gpuModel(path.join(scratch, 'absent'))).toBeUndefined();
  });
});
