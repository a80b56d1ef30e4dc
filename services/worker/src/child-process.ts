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

/** Environment variables that a module's process gets: no service's secrets. */
const PASSED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NODE_EXTRA_CA_CERTS',
  'LOCKSTEP_BACKEND', 'LOCKSTEP_NATIVE', 'TF_ENABLE_ONEDNN_OPTS'];

/** A child process that runs one job's module. Its scratch folder lives as long as it. */
export class ChildRunner {
  private readonly process: ChildProcess;
  private tail = '';
  readonly exited: Promise<ChildExit>;
  /** Resolves when its scratch folder is gone too. */
  readonly ended: Promise<void>;

  private constructor(config: ChildConfig) {
    const env = Object.fromEntries(PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
    this.process = spawn(process.execPath, ['--enable-source-maps', join(__dirname, 'child', 'main.js')], {
      stdio: ['pipe', 'inherit', 'pipe'],
      cwd: config.workFolder,
      detached: true, // a process group of its own: what the module starts ends with it
      env: {
        ...env, TF_CPP_MIN_LOG_LEVEL: '2',
        // The math library reads these when it loads; with one thread inter-op must be one too (a session has its own pool).
        TF_NUM_INTRAOP_THREADS: String(config.mathThreads), TF_NUM_INTEROP_THREADS: String(config.mathThreads), OMP_NUM_THREADS: String(config.mathThreads),
      },
    });
    this.process.stderr?.on('data', (bytes: Buffer) => {
      process.stderr.write(bytes);
      this.tail = (this.tail + bytes.toString()).slice(-STDERR_TAIL_BYTES);
    });
    this.process.stdin?.on('error', () => undefined); // a child that dies early closes it; its exit says why
    this.process.stdin?.write(`${JSON.stringify(config)}\n`);
    this.exited = new Promise((resolve) => {
      this.process.once('error', (e) => resolve({ code: -1, signal: '', stderrTail: e.message }));
      // Not 'close': something that the module started may hold its standard error open.
      this.process.once('exit', (code, signal) => {
        this.killGroup();
        setTimeout(() => {
          this.process.stderr?.destroy();
          resolve({ code: code ?? -1, signal: signal ?? '', stderrTail: this.tail });
        }, LAST_WORDS_MS);
      });
    });
    this.ended = this.exited.then(() => rm(config.workFolder, { recursive: true, force: true, maxRetries: 5 })).catch((e: unknown) => {
      process.stderr.write(`the scratch folder ${config.workFolder} could not be removed: ${e instanceof Error ? e.message : String(e)}\n`);
    });
  }

  static async start(config: ChildConfig): Promise<ChildRunner> {
    await mkdir(config.workFolder, { recursive: true });
    return new ChildRunner(config);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Asks it to end, and makes it after a moment. */
  stop(): void {
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
