import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 60_000;

/** A service's process; `ready` resolves with its address when it serves. */
export interface ServiceProcess {
  readonly process: ChildProcess;
  readonly ready: Promise<string>;
  /** What else it says then. */
  readonly facts: Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Starts a service as its users start it.
 *
 * @param prefix a command that runs it, in a network of its own for example
 */
export function startService(name: 'artifact' | 'coordinator' | 'worker' | 'tuner', args: readonly string[], prefix: readonly string[] = []): ServiceProcess {
  const main = join(dirname(require.resolve(`@lockstep/${name}/package.json`)), 'dist', 'main.js');
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, main, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let wrote = '';
  child.stderr.on('data', (bytes: Buffer) => { wrote = (wrote + bytes.toString()).slice(-4000); });
  const facts = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} was not ready within ${START_TIMEOUT_MS} ms: ${wrote}`)), START_TIMEOUT_MS);
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line) as Readonly<Record<string, unknown>>);
    });
  });
  const ready = facts.then(({ listening }) => String(listening));
  ready.catch(() => undefined); // one that stands by need not become ready
  return { process: child, ready, facts };
}
