import { checkMathThreads, fixMathThreads } from './math-threads';

describe('math threads', () => {
  test.each([0, -1, 1.5, NaN, 1025])('%p threads are refused', (mathThreads) => {
    expect(() => { checkMathThreads(mathThreads); }).toThrow(`mathThreads is ${mathThreads}; it must be a whole number from 1 to 1024`);
  });

  test('both pools get the number, whatever they had', () => {
    const env: NodeJS.ProcessEnv = { TF_NUM_INTEROP_THREADS: '8' };
    fixMathThreads(env, 2, false);
    expect(env).toEqual({ TF_NUM_INTRAOP_THREADS: '2', TF_NUM_INTEROP_THREADS: '2' });
  });

  test.each([
    ['the same number', { TF_NUM_INTRAOP_THREADS: '2', TF_NUM_INTEROP_THREADS: '2' }, undefined],
    ['another number', { TF_NUM_INTRAOP_THREADS: '4', TF_NUM_INTEROP_THREADS: '4' }, 'TF_NUM_INTRAOP_THREADS=4'],
    ['the default', {}, 'TF_NUM_INTRAOP_THREADS=its default'],
    ['a default pool beside a fixed one', { TF_NUM_INTRAOP_THREADS: '2' }, 'TF_NUM_INTEROP_THREADS=its default'],
  ])('after TensorFlow was loaded with %s', (_case, loadedWith, refusal) => {
    const fix = (): void => { fixMathThreads({ ...loadedWith }, 2, true); };
    if (refusal === undefined) expect(fix).not.toThrow();
    else expect(fix).toThrow(`TensorFlow was loaded in this process with ${refusal}`);
  });
});
