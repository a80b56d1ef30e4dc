import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChildConfig } from './child-config';

/** How a child ended. */
export interface ChildExit {
  readonly code: number;
  /** Empty unless a signal ended it. */
  readonly signal: string;
  readonly stderrTail: string;
}

const STDERR_TAIL_BYTES = 2000;
const KILL_AFTER_MS = 2000;
/** What it wrote at its very end has to arrive. */
const LAST_WORDS_MS = 100;
/** A machine that is short of something now may have it soon. */
const START_AGAIN_MS = 500;
const START_TRIES = 60;

/** Why a process could not be started, and what its operator can do. */
const SHORTAGES: Readonly<Record<string, string>> = {
  EMFILE: 'the worker has no file descriptors left: raise the limit of its process (ulimit -n)',
  ENFILE: 'the machine has no file descriptors left: raise its limit (fs.file-max)',
  EAGAIN: 'the machine or its user has as many processes as allowed: raise the limit (ulimit -u), or end some',
  ENOMEM: 'the machine has no memory left for another process: end some, or give it more',
};

/** Environment variables that a module's process gets: no service's secrets. */
const PASSED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NODE_EXTRA_CA_CERTS',
  'LOCKSTEP_BACKEND', 'LOCKSTEP_NATIVE', 'TF_ENABLE_ONEDNN_OPTS'];

/** A child process that runs one job's module. Its scratch folder lives as long as it. */
export class ChildRunner {
  private process: ChildProcess;
  private tail = '';
  private stopped = false;
  readonly exited: Promise<ChildExit>;
  /** Resolves when its scratch folder is gone too. */
  readonly ended: Promise<void>;

  /** @param onShortage told once, when its process cannot be started yet */
  private constructor(private readonly config: ChildConfig, private readonly onShortage: (why: string) => void) {
    this.process = this.spawn();
    this.exited = this.live();
    this.ended = this.exited.then(() => rm(config.workFolder, { recursive: true, force: true, maxRetries: 5 })).catch((e: unknown) => {
      process.stderr.write(`the scratch folder ${config.workFolder} could not be removed: ${e instanceof Error ? e.message : String(e)}\n`);
    });
  }

  /** Until it has ended; tried again while the machine is short of what a process needs. */
  private async live(): Promise<ChildExit> {
    for (let tries = 1; ; tries++) {
      const end = await this.end();
      if (!('shortage' in end)) return end;
      if (this.stopped || tries === START_TRIES) return { code: -1, signal: '', stderrTail: end.shortage };
      if (tries === 1) this.onShortage(end.shortage);
      await new Promise((resolve) => setTimeout(resolve, START_AGAIN_MS));
      if (this.stopped) return { code: -1, signal: '', stderrTail: end.shortage };
      this.process = this.spawn();
    }
  }

  private spawn(): ChildProcess {
    const { config } = this;
    const env = Object.fromEntries(PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
    return spawn(process.execPath, [join(__dirname, 'child', 'main.js')], {
      stdio: ['pipe', 'inherit', 'pipe'],
      cwd: config.workFolder,
      detached: true, // a process group of its own: what the module starts ends with it
      env: {
        ...env, TF_CPP_MIN_LOG_LEVEL: '2',
        // The math library reads these when it loads; with one thread inter-op must be one too (a session has its own pool).
        TF_NUM_INTRAOP_THREADS: String(config.mathThreads), TF_NUM_INTEROP_THREADS: String(config.mathThreads), OMP_NUM_THREADS: String(config.mathThreads),
      },
    });
  }

  private end(): Promise<ChildExit | { readonly shortage: string }> {
    const child = this.process;
    child.stderr?.on('data', (bytes: Buffer) => {
      process.stderr.write(bytes);
      this.tail = (this.tail + bytes.toString()).slice(-STDERR_TAIL_BYTES);
    });
    child.stdin?.on('error', () => undefined); // a child that dies early closes it; its exit says why
    child.stdin?.write(`${JSON.stringify(this.config)}\n`);
    return new Promise((resolve) => {
      child.once('error', (e) => {
        const shortage = 'code' in e && typeof e.code === 'string' ? SHORTAGES[e.code] : undefined;
        const message = `its process could not be started: ${e.message}`;
        resolve(shortage === undefined ? { code: -1, signal: '', stderrTail: message } : { shortage: `${message}: ${shortage}` });
      });
      // Not 'close': something that the module started may hold its standard error open.
      child.once('exit', (code, signal) => {
        this.killGroup();
        setTimeout(() => {
          child.stderr?.destroy();
          resolve({ code: code ?? -1, signal: signal ?? '', stderrTail: this.tail });
        }, LAST_WORDS_MS);
      });
    });
  }

  /** @param onShortage told once, in words, when the machine is short of what a process needs: it is tried again for half a minute */
  static async start(config: ChildConfig, onShortage: (why: string) => void): Promise<ChildRunner> {
    await mkdir(config.workFolder, { recursive: true });
    return new ChildRunner(config, onShortage);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Asks it to end, and makes it after a moment. */
  stop(): void {
    this.stopped = true;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.killGroup(), KILL_AFTER_MS);
    void this.exited.then(() => clearTimeout(timer));
  }

  private killGroup(): void {
    if (this.process.pid === undefined) return;
    try {
      process.kill(-this.process.pid, 'SIGKILL');
    } catch (e) {
      // ESRCH: nobody of the group is left.
      if (!(e instanceof Error && 'code' in e && e.code === 'ESRCH')) throw e;
    }
  }
}
