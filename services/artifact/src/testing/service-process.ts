import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** The service as a process of its own, as users run it. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  /** The JSON line that it prints when it serves. @throws Error with what it said when it ends before */
  readonly ready: Promise<{ readonly listening: string; readonly pid: number }>;
  readonly exited: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts the built service. */
export function startProcess(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ServiceProcess {
  const child = spawn(process.execPath, [path.join(__dirname, '..', '..', 'dist', 'main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => { stdout += data.toString(); });
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString(); });
  const exited = new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) => child.once('close', (code) => resolve({ code, stderr })));
  const line = new Promise<string>((resolve) => child.stdout.on('data', () => {
    const end = stdout.indexOf('\n');
    if (end >= 0) resolve(stdout.slice(0, end));
  }));
  const ready = Promise.race([line.then((text) => JSON.parse(text) as { listening: string; pid: number }), exited.then(({ code }) => { throw new Error(`the service ended with ${code}: ${stderr}`); })]);
  // Whoever expects the process to end looks at `exited` only.
  ready.catch(() => undefined);
  return { child, ready, exited };
}
