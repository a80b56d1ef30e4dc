import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PARENT_PIPE_VARIABLE } from '@lockstep/rpc';
import { CliError } from './cli-error';
import { makeFolder } from './make-folder';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

/**
 * What a service wants of Node.js itself: a young generation that holds what a thousand sessions keep from one heartbeat to the next. Such
 * state would otherwise grow old as garbage, and collecting it there stops the service for a tenth of a second.
 */
function nodeArgumentsOf(manifest: string): readonly string[] {
  const { lockstep } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly lockstep?: { readonly nodeArguments?: readonly string[] } };
  return lockstep?.nodeArguments ?? [];
}

/** What a service prints when it serves. */
export interface ReadyLine {
  /** host:port */
  readonly listening: string;
  /** Of a tuner: where KerasTuner's workers are served, host:port each, with commas. */
  readonly kerasTuner?: string;
}

/** A service started as a process of its own, with its log in a file. */
export class ManagedProcess {
  private readonly process: ChildProcess;
  private readonly log: WriteStream;
  private readonly tail: string[] = [];
  private stopping = false;
  /** Resolves when the process has ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;

  constructor(readonly name: string, packageName: string, args: readonly string[], readonly logFile: string) {
    makeFolder(dirname(logFile));
    this.log = createWriteStream(logFile, { flags: 'a' });
    const manifest = require.resolve(`${packageName}/package.json`);
    const main = join(dirname(manifest), 'dist', 'main.js');
    // Its own process group: Ctrl-C reaches `up` alone, which ends the services in order. However `up` ends, the pipe does too.
    this.process = spawn(process.execPath, [...nodeArgumentsOf(manifest), main, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { ...process.env, [PARENT_PIPE_VARIABLE]: '1' } });
    this.process.stdin?.on('error', () => undefined); // its end is told by 'exit'
    this.log.on('error', (e) => process.stderr.write(`${this.logFile} cannot be written: ${e.message}\n`));
    this.process.stderr?.on('data', (bytes: Buffer) => {
      this.log.write(bytes);
      this.tail.push(bytes.toString());
      if (this.tail.length > 20) this.tail.shift();
    });
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
      this.process.once('error', (e) => {
        this.tail.push(e.message);
        resolve({ code: null, signal: null });
      });
    });
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  /** True after stop(): its end is no surprise. */
  get isStopping(): boolean {
    return this.stopping;
  }

  /**
   * Waits for the line that a service prints when it serves.
   *
   * @throws CliError with what it wrote last, when it exits or is not ready in time
   */
  async ready(): Promise<ReadyLine> {
    const lines = createInterface({ input: this.process.stdout ?? process.stdin });
    let timer: NodeJS.Timeout | undefined;
    const failed = (why: string): CliError => new CliError(`${this.name} ${why}: ${this.lastWords()}`, `Its log is ${this.logFile}.`);
    try {
      return await Promise.race([
        new Promise<ReadyLine>((resolve) => lines.once('line', (line) => {
          // What follows is what modules print.
          lines.on('line', (printed) => this.log.write(`${printed}\n`));
          resolve(JSON.parse(line) as ReadyLine);
        })),
        this.exited.then(({ code, signal }) => { throw failed(`could not start (${signal ?? `exit code ${code ?? '?'}`})`); }),
        new Promise<never>((_, reject) => { timer = setTimeout(() => reject(failed(`was not ready within ${START_TIMEOUT_MS / 1000} s`)), START_TIMEOUT_MS); }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks it to drain, and kills it when it takes too long. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
    this.log.end();
  }

  private lastWords(): string {
    const text = this.tail.join('').trim() || readFileSync(this.logFile, 'utf8').trim();
    return text.split('\n').slice(-3).join(' ') || 'it wrote nothing';
  }
}
