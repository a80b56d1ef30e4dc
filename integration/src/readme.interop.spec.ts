/** The README's Python blocks, after the others that they stand on. */
import { describeWithPython, findForeignPython } from './foreign';
import { ReadmeRun } from './readme-run';

describeWithPython("the README's Python", () => {
  test('loads the model, and submits a job', async () => {
    const python = findForeignPython(process.env);
    const readme = new ReadmeRun(python.kind === 'installed' ? python.executable : undefined);
    try {
      const outputs: string[] = [];
      for (const block of readme.blocks) {
        if (block.text.startsWith('npm ci')) continue;
        const output = await readme.run(block);
        if (block.kind === 'PYTHON') outputs.push(output);
      }
      expect(outputs).toHaveLength(2);
      expect(outputs[0]).toMatch(/shape=\(2, 1\)/);
      expect(JSON.parse(outputs[1]?.trim().split('\n').at(-1) ?? '')).toMatchObject({ state: 'JOB_STATE_SUCCEEDED', resumed_equals_whole: true });
    } finally {
      await readme.close();
    }
  }, 400_000);
});
