import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWithPython, runPython } from './foreign';

describeWithPython('the foreign Python', () => {
  test('runs the versions that golden values are made with', async () => {
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-foreign-'));
    try {
      const script = path.join(scratch, 'versions.py');
      fs.writeFileSync(script, 'import json, tensorflow, tf_keras, grpc_tools\nprint(json.dumps([tensorflow.__version__, tf_keras.__version__]))\n');
      const { stdout } = await runPython(script, [], { timeoutMs: 60_000 });
      expect(JSON.parse(stdout)).toEqual(['2.21.0', '2.21.0']);
    } finally {
      fs.rmSync(scratch, { recursive: true, force: true });
    }
  });
});
