import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(__dirname, '..', '..');
const CLI = join(ROOT, 'services', 'cli', 'bin', 'lockstep.cjs');
const START_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 300_000;

/** What a command did. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `lockstep up --json` says once it is ready. */
export interface ClusterFacts {
  readonly coordinator: string;
  readonly artifact: string;
  readonly tuner: string;
  readonly data: string;
  /** Process ids by name: artifact, coordinator, tuner, worker-1, ... */
  readonly pids: Readonly<Record<string, number>>;
}

/** A cluster as users start it: `lockstep up` in a folder of its own, and the command line against it. */
export class LocalCluster {
  private constructor(private readonly process: ChildProcess, readonly facts: ClusterFacts, readonly folder: string) {}

  /** @throws Error with what `up` wrote when it is not ready in time */
  static async start(workers: number, env: Readonly<Record<string, string>> = {}): Promise<LocalCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-e2e-'));
    const process_ = spawn(process.execPath, [CLI, 'up', '--json', '--workers', String(workers), '--data', join(folder, 'data')], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let stderr = '';
    process_.stderr.on('data', (bytes: Buffer) => { stderr += bytes.toString(); });
    let timer: NodeJS.Timeout | undefined;
    try {
      const facts = await new Promise<ClusterFacts>((ready, failed) => {
        timer = setTimeout(() => failed(new Error(`lockstep up was not ready within ${START_TIMEOUT_MS} ms: ${stderr}`)), START_TIMEOUT_MS);
        process_.once('exit', (code) => failed(new Error(`lockstep up ended with ${code ?? 'a signal'}: ${stderr}`)));
        createInterface({ input: process_.stdout }).once('line', (line) => ready(JSON.parse(line) as ClusterFacts));
      });
      return new LocalCluster(process_, facts, folder);
    } catch (e) {
      process_.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
      throw e;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The process of a service now: `up` starts again what ends by itself. */
  pidOf(name: string): number | undefined {
    const [role, number] = name.split('-');
    const wanted = number === undefined ? `services/${role}/` : `--name w${number} `;
    const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(this.process.pid)], { encoding: 'utf8' }).trim().split('\n');
    const found = lines.find((line) => `${line} `.includes(wanted));
    return found === undefined ? undefined : Number(found.trim().split(' ')[0]);
  }

  /** Runs `lockstep ARGS` against this cluster. */
  run(...args: readonly string[]): Promise<Finished> {
    return lockstep([...args, '--data', this.facts.data]);
  }

  /** Runs `lockstep ARGS --json` and parses each line; fails the test when the command fails. */
  async json<T = Record<string, unknown>>(...args: readonly string[]): Promise<readonly T[]> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`lockstep ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${stdout}\n${stderr}`);
    return stdout.trim().split('\n').filter((l) => l !== '').map((l) => JSON.parse(l) as T);
  }

  /** Ends `up` itself as the system would. */
  kill(signal: 'SIGKILL' | 'SIGHUP'): void {
    this.process.kill(signal);
  }

  /** Ends it as Ctrl-C does, and removes its folder. @returns the exit code of `up` */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((done) => this.process.once('exit', done));
    const running = this.process.exitCode === null && this.process.signalCode === null;
    if (running) this.process.kill('SIGINT');
    const code = running ? await ended : this.process.exitCode;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

/** Runs the command line as a process. */
export function lockstep(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => { stdout += bytes.toString(); });
    child.stderr.on('data', (bytes: Buffer) => { stderr += bytes.toString(); });
    const timer = setTimeout(() => {
      stderr += `\nkilled after ${COMMAND_TIMEOUT_MS} ms`;
      child.kill('SIGKILL');
    }, COMMAND_TIMEOUT_MS);
    child.once('close', (code) => {
      clearTimeout(timer);
      done({ code, stdout, stderr });
    });
  });
}
