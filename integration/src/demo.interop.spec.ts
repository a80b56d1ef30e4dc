/** The elastic demo to its end, as its reader runs it: among the long ones, because it waits for what it shows. */
import { spawn } from 'node:child_process';
import { ROOT } from './fixtures';

const DEADLINE_MS = 540_000;

test('npm run demo:elastic: a kill, two that join, a coordinator that dies, and the bytes of an undisturbed run', async () => {
  const demo = spawn('npm', ['run', 'demo:elastic'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (bytes: Buffer) => { output += bytes.toString(); });
  const code = await new Promise<number | null>((resolve) => {
    const timer = setTimeout(() => {
      output += `\nstopped after ${DEADLINE_MS} ms`;
      if (demo.pid !== undefined) process.kill(-demo.pid, 'SIGKILL');
    }, DEADLINE_MS);
    demo.once('close', (ended) => {
      clearTimeout(timer);
      resolve(ended);
    });
  });
  expect([code, output]).toEqual([0, expect.stringMatching(/lost +rank 0 \(workers\/w1\)[\s\S]*joined[\s\S]*Equal: [0-9a-f]{64} is the digest of the undisturbed run too\./)]);
}, DEADLINE_MS + 60_000);
