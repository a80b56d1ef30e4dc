// A rival of the suite `search`: a process of its own that is asked for values and told their score, see search-rival.py.
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { BenchError } from './bench-error.mjs';

const SCRIPT = fileURLToPath(new URL('../search-rival.py', import.meta.url));
/** For getting ready and for each answer: KerasTuner takes seconds a suggestion. */
const ANSWER_TIMEOUT_MS = 300_000;
const STDERR_SHOWN_CHARS = 4000;

/**
 * Starts a rival and waits until it is ready.
 * @param {string} name as search-rival.py calls it
 * @param {{python: string, env: Record<string, string>}} environment that can import it
 * @returns {Promise<{name: string, about: string, begin: (study: object) => Promise<void>, ask: () => Promise<{values: object, ms: number}>, tell: (score: number) => Promise<void>, stop: () => Promise<void>}>}
 */
export async function startRival(name, { python, env }) {
  const child = spawn(python, [SCRIPT, name], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => { stderr = (stderr + chunk).slice(-STDERR_SHOWN_CHARS); });
  const ended = new Promise((resolve) => {
    child.once('error', (error) => { resolve(`could not be started: ${error.message}`); });
    child.once('close', (code, signal) => { resolve(`ended with ${code ?? signal}: ${stderr.trim()}`); });
  });
  child.stdin.on('error', () => {}); // the process is gone: `ended` says how
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function answer(doing) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => { reject(new BenchError(`${name} took more than ${ANSWER_TIMEOUT_MS / 1000} s ${doing}`)); }, ANSWER_TIMEOUT_MS);
    });
    try {
      for (;;) {
        const line = await Promise.race([lines.next(), late]);
        if (line.done) throw new BenchError(`${name} stopped ${doing}; it ${await ended}`);
        if (line.value.startsWith('{')) return JSON.parse(line.value); // other output is the rival's
      }
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  const request = (message, doing) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    return answer(doing);
  };
  const { ready } = await answer('to get ready');
  return {
    name,
    about: ready,
    begin: async (study) => { await request({ study }, 'to begin a study'); },
    ask: () => request({ ask: true }, 'to suggest'),
    tell: async (score) => { await request({ tell: score }, 'to take a score'); },
    stop: async () => {
      child.stdin.end();
      const timer = setTimeout(() => { child.kill('SIGKILL'); }, 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}
