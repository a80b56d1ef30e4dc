import { spawnSync } from 'node:child_process';
import path from 'node:path';

const BENCH = path.join(__dirname, '..', 'bench');

describe('npm run bench', () => {
  test.each([
    ['an unknown suite', ['--suite', 'nope'], 2, /there is no suite "nope"; the suites are .*step/],
    ['no suite', [], 2, /--suite is missing; the suites are .*step/],
    ['an unknown flag', ['--suite', 'step', '--fast'], 2, /--fast.*\nRun npm run bench -- --help/],
  ])('%s is refused', (_case, flags, code, message) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(BENCH, 'run.mjs'), ...flags], { encoding: 'utf8', timeout: 30_000 });
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([code, '']);
  });

  test('--help names the suites and gives an example', () => {
    const { status, stdout } = spawnSync(process.execPath, [path.join(BENCH, 'run.mjs'), '--help'], { encoding: 'utf8', timeout: 30_000 });
    expect(stdout).toMatch(/--suite NAME {2}.*step/);
    expect(stdout).toContain('npm run bench -- --suite step');
    expect(status).toBe(0);
  });

  /** A contender without TensorFlow: the n-th measurement of size s gives base + n * s. */
  const contender = (base: number): string => `import { serveContender } from ${JSON.stringify(path.join(BENCH, 'lib', 'contender.mjs'))};
    let n = 0; console.log('chatter'); await serveContender('a test', (size) => ${base} + size * n++);`;

  function compare(ours: string, rival: string, rounds: number): { readonly stdout: string; readonly stderr: string } {
    const program = `import { compare } from ${JSON.stringify(path.join(BENCH, 'lib', 'compare.mjs'))};
      const side = (name, code) => ({ name, file: process.execPath, argv: ['--input-type=module', '-e', code], timeoutMs: 20000 });
      const [ours, rival] = process.argv.slice(1);
      const row = await compare({ name: 'n', unit: 'ms', better: 'lower', target: 2, size: 10, rounds: ${rounds}, ours: side('us', ours), rival: side('them', rival) }, () => {});
      console.log(JSON.stringify(row));`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', program, ours, rival], { encoding: 'utf8', timeout: 50_000 });
  }

  test.each([
    // medians of 10, 20, 30 and of 5, 15, 25; of 50, 60, 70 and the same
    [10, 5, { ours: 20, rival: 15, ratio: 1.333, pass: true }],
    [50, 5, { ours: 60, rival: 15, ratio: 4, pass: false }],
  ])('contenders at %p and %p are compared by their medians', (ours, rival, row) => {
    expect(JSON.parse(compare(contender(ours), contender(rival), 3).stdout)).toEqual({ name: 'n', unit: 'ms', target: 2, ...row });
  });

  test('a contender that dies is named with its last words', () => {
    expect(compare(contender(1), 'console.error("out of memory"); process.exit(3)', 1).stderr).toMatch(/BenchError: them stopped to get ready; it ended with 3: out of memory/);
  });
});
