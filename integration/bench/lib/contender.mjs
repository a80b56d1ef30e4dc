// A contender of a benchmark: a process of its own that gets ready once and measures when it is told to, so that two of them can alternate.
// It prints JSON lines: {"ready": "what it runs on"} once, then {"value": number} for each line `measure <size>` on its stdin. It ends when stdin ends.
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { BenchError } from './bench-error.mjs';

const STDERR_SHOWN_CHARS = 4000;

/**
 * Starts a contender and waits until it is ready.
 * @param {{name: string, file: string, argv: string[], env?: NodeJS.ProcessEnv, cwd?: string, timeoutMs?: number}} options
 *   timeoutMs: for getting ready, and for each measurement
 * @returns {Promise<{name: string, about: string, measure: (size: number) => Promise<number>, stop: () => Promise<void>}>}
 */
export async function startContender({ name, file, argv, env = process.env, cwd, timeoutMs = 120_000 }) {
  const child = spawn(file, argv, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => { stderr = (stderr + chunk).slice(-STDERR_SHOWN_CHARS); });
  const ended = new Promise((resolve) => {
    child.once('error', (error) => { resolve(`could not be started: ${error.message}`); });
    child.once('close', (code, signal) => { resolve(`ended with ${code ?? signal}: ${stderr.trim()}`); });
  });
  child.stdin.on('error', () => {}); // the process is gone: `ended` says how
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  /** The value of `key` in the next line that is about it; other output of the program is not ours. */
  async function next(key, doing) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => { reject(new BenchError(`${name} took more than ${timeoutMs / 1000} s ${doing}`)); }, timeoutMs);
    });
    try {
      for (;;) {
        const line = await Promise.race([lines.next(), late]);
        if (line.done) throw new BenchError(`${name} stopped ${doing}; it ${await ended}`);
        if (!line.value.startsWith('{')) continue;
        const message = JSON.parse(line.value);
        if (key in message) return message[key];
      }
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  const about = await next('ready', 'to get ready');
  return {
    name,
    about,
    measure: async (size) => {
      child.stdin.write(`measure ${size}\n`);
      const value = await next('value', `to measure ${size}`);
      if (!Number.isFinite(value) || value <= 0) throw new BenchError(`${name} measured ${value}`);
      return value;
    },
    stop: async () => {
      child.stdin.end();
      const timer = setTimeout(() => { child.kill('SIGKILL'); }, 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** The contender's side, for programs in JavaScript: answers each `measure <size>` by what `measure` returns. */
export async function serveContender(about, measure) {
  console.log(JSON.stringify({ ready: about }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, size] = line.split(' ');
    if (command !== 'measure') throw new Error(`unknown command ${line}`);
    console.log(JSON.stringify({ value: await measure(Number(size)) }));
  }
}
