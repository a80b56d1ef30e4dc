import { execFileSync } from 'node:child_process';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { directionOf } from './direction';
import { FilePathTemplate } from './file-path-template';
import { runScriptedFit, type ScriptedOutcome } from './testing/run-scripted-fit';
import { SCRIPTED_FITS, SCRIPTED_NAMES } from './testing/scripted-fits';

const python = process.env['LOCKSTEP_PYTHON'] ?? '';
const missing = process.env['LOCKSTEP_PYTHON_MISSING'] ?? 'LOCKSTEP_PYTHON names no Python with tensorflow and keras';

interface Reference {
  readonly outcomes: readonly ScriptedOutcome[];
  readonly directions: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

(python === '' ? describe.skip : describe)(`against Keras's own callbacks${python === '' ? ` (${missing})` : ''}`, () => {
  let reference: Reference;
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation();

  beforeAll(async () => {
    await tf.setBackend('cpu');
    const output = execFileSync(python, [path.join(__dirname, 'testing', 'keras-callbacks.py')], { input: JSON.stringify({ cases: SCRIPTED_FITS, names: SCRIPTED_NAMES }), maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] });
    reference = JSON.parse(output.toString('utf8')) as Reference;
  }, 300_000);

  afterAll(() => warn.mockRestore());

  test.each(SCRIPTED_FITS.map((fit, index) => ({ ...fit, index })))('$callback, $title', async ({ index }) => {
    const fit = SCRIPTED_FITS[index];
    const theirs = reference.outcomes[index];
    if (!fit || !theirs) throw new Error('the reference has no such fit');
    const ours = await runScriptedFit(tf, fit, () => warn.mock.calls.length);
    expect(ours).toEqual(theirs);
  });

  test("every metric of Keras's that has a direction has the same by its name", () => {
    expect(Object.keys(reference.directions).length).toBeGreaterThan(30);
    expect(Object.fromEntries(Object.keys(reference.directions).map((name) => [name, directionOf(name)]))).toEqual(reference.directions);
  });

  test("names with fields are Python's, digit by digit", () => {
    const ours = SCRIPTED_NAMES.map(([name, values]) => [name, values, new FilePathTemplate(name).format(values)]);
    expect(ours).toEqual(SCRIPTED_NAMES.map(([name, values], i) => [name, values, reference.names[i]]));
  });
});
