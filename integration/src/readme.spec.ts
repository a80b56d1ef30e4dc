/** Every command of the README runs as printed. `npm ci` is what made this checkout; the Python blocks are run by the interop suite. */
import { ReadmeRun } from './readme-run';

test('the tour, block by block', async () => {
  const readme = new ReadmeRun(undefined);
  try {
    const outputs: string[] = [];
    for (const block of readme.blocks) {
      if (block.kind === 'PYTHON' || block.text.startsWith('npm ci')) continue;
      outputs.push(await readme.run(block));
    }
    const all = outputs.join('\n');
    const digests = [...all.matchAll(/^model {6}artifacts\/weight-model\/versions\/1\ndigest {5}([0-9a-f]{64})$/gm)].map((m) => m[1]);
    expect(digests).toHaveLength(3); // on one worker, on two, and on one to two with checkpoints
    expect(new Set(digests).size).toBe(1);
    expect(all).toContain('artifacts/weight-8/versions/1');
  } finally {
    await readme.close();
  }
}, 600_000);

test('the demo', async () => {
  const readme = new ReadmeRun(undefined);
  try {
    const first = readme.blocks[0];
    if (first?.kind !== 'COMMANDS') throw new Error('the README does not begin with its two commands');
    expect(first.text).toBe('npm ci\nnpm run demo\n');
    const output = await readme.run({ ...first, text: 'npm run demo' });
    expect(output).toContain('Equal: one, two and three workers made the same bytes.');
  } finally {
    await readme.close();
  }
}, 600_000);
