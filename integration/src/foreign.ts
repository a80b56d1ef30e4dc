import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The Python that has TensorFlow, tf_keras, NumPy and gRPC, or why there is none. */
export type ForeignPython =
  | { readonly kind: 'installed'; readonly executable: string }
  | { readonly kind: 'missing'; readonly why: string };

/** A foreign program that is missing, failed, or took too long. */
export class ForeignError extends Error {
  constructor(readonly reason: 'MISSING' | 'FAILED' | 'TIMED_OUT', message: string) {
    super(message);
    this.name = 'ForeignError';
  }
}

/** What a program printed until it ended well. */
export interface ForeignOutput {
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
const STDERR_SHOWN_CHARS = 4000;

const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';

/** Where integration/foreign/install.mjs puts the Python when no variable says otherwise (integration/foreign/foreign.mjs). */
function defaultExecutable(env: Environment): string {
  const user = isSet(env['XDG_CACHE_HOME']) ? env['XDG_CACHE_HOME'] : path.join(os.homedir(), '.cache');
  const root = isSet(env['LOCKSTEP_FOREIGN_CACHE']) ? env['LOCKSTEP_FOREIGN_CACHE'] : path.join(user, 'lockstep', 'foreign');
  return path.join(path.resolve(root), 'current', 'bin', 'python');
}

/** LOCKSTEP_PYTHON (npm run test:interop sets it; empty when the installation failed), else the place where install.mjs puts it. */
export function findForeignPython(env: Environment): ForeignPython {
  if (isSet(env['LOCKSTEP_PYTHON_MISSING'])) return { kind: 'missing', why: env['LOCKSTEP_PYTHON_MISSING'] };
  const executable = isSet(env['LOCKSTEP_PYTHON']) ? env['LOCKSTEP_PYTHON'] : defaultExecutable(env);
  if (!fs.existsSync(executable)) return { kind: 'missing', why: `${executable} does not exist; run node integration/foreign/install.mjs` };
  return { kind: 'installed', executable };
}

/**
 * Runs a Python script to its end.
 * @param script path of the file
 * @throws ForeignError MISSING, FAILED (with the end of stderr) or TIMED_OUT
 */
export async function runPython(
  script: string, args: readonly string[], { timeoutMs, env = process.env }: { readonly timeoutMs: number; readonly env?: Environment },
): Promise<ForeignOutput> {
  const python = findForeignPython(env);
  if (python.kind === 'missing') throw new ForeignError('MISSING', `Python with TensorFlow is missing: ${python.why}`);
  return new Promise((resolve, reject) => {
    execFile(python.executable, [script, ...args], {
      env: { TF_CPP_MIN_LOG_LEVEL: '2', ...env }, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_MAX_BYTES,
    }, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else if (error.killed === true) reject(new ForeignError('TIMED_OUT', `${script} was stopped after ${timeoutMs} ms: ${stderr.slice(-STDERR_SHOWN_CHARS)}`));
      else reject(new ForeignError('FAILED', `${script} exited with ${String(error.code ?? error.signal)}: ${stderr.slice(-STDERR_SHOWN_CHARS)}`));
    });
  });
}

/** `describe` where Python's TensorFlow is installed; elsewhere the tests are counted as skipped, with the reason in their title. */
export function describeWithPython(title: string, body: () => void): void {
  const python = findForeignPython(process.env);
  switch (python.kind) {
    case 'installed': return describe(title, body);
    case 'missing': return describe.skip(`${title} (skipped: ${python.why})`, body);
  }
}
