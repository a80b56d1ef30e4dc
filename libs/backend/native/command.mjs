import { spawn } from 'node:child_process';
import { clearTimeout, setTimeout } from 'node:timers';

const OUTPUT_KEPT_BYTES = 64 * 1024;

/**
 * Runs a program to its end. Never throws: a program that is missing is an outcome too.
 * @param {string} file
 * @param {readonly string[]} argv
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs: number, showOutput?: boolean}} options
 *   showOutput: stdout goes to the terminal (progress bars) instead of into the result.
 * @returns {Promise<{kind: 'exited', code: number, stdout: string, stderr: string}
 *   | {kind: 'killed', signal: string, stderr: string} | {kind: 'timed-out', timeoutMs: number} | {kind: 'missing', error: string}>}
 */
export function runCommand(file, argv, { cwd, env, timeoutMs, showOutput = false }) {
  return new Promise((resolve) => {
    const child = spawn(file, argv, { cwd, env, stdio: ['ignore', showOutput ? 'inherit' : 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => { timedOut = true; child.kill('SIGKILL'); }, timeoutMs);
    const tail = (text, chunk) => (text + chunk).slice(-OUTPUT_KEPT_BYTES);
    child.stdout?.setEncoding('utf8').on('data', (chunk) => { stdout = tail(stdout, chunk); });
    child.stderr.setEncoding('utf8').on('data', (chunk) => { stderr = tail(stderr, chunk); });
    child.on('error', (error) => { clearTimeout(timer); resolve({ kind: 'missing', error: error.message }); });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut) resolve({ kind: 'timed-out', timeoutMs });
      else if (code === null) resolve({ kind: 'killed', signal: signal ?? 'unknown signal', stderr });
      else resolve({ kind: 'exited', code, stdout, stderr });
    });
  });
}

/** One sentence fragment for an outcome that is not success: `exited with 1: <last lines of stderr>`. */
export function describeOutcome(outcome, lines = 3) {
  switch (outcome.kind) {
    case 'missing': return `could not be started: ${outcome.error}`;
    case 'timed-out': return `was stopped after ${outcome.timeoutMs / 1000} s`;
    case 'killed': return `was killed by ${outcome.signal}${lastLines(outcome.stderr, lines)}`;
    case 'exited': return `exited with ${outcome.code}${lastLines(outcome.stderr, lines)}`;
  }
  throw new Error(`unknown outcome ${JSON.stringify(outcome)}`);
}

function lastLines(text, count) {
  const kept = text.trim().split('\n').filter((line) => line.trim() !== '').slice(-count);
  return kept.length === 0 ? '' : `: ${kept.join(' | ')}`;
}
