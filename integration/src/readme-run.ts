import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from './fixtures';
import { readmeBlocks, type ReadmeBlock } from './readme';

const READY_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 240_000;

/** Runs the README's blocks as a reader would, from a folder in which the repository's paths work. */
export class ReadmeRun {
  readonly blocks: readonly ReadmeBlock[];
  readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-readme-'));
  private readonly background: ChildProcess[] = [];

  /** @param python folder of a `python` that has TensorFlow; without one, Python blocks are not run */
  constructor(private readonly python: string | undefined) {
    this.blocks = readmeBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'));
    for (const name of ['node_modules', 'integration', 'protos', 'package.json', 'libs', 'services']) symlinkSync(join(ROOT, name), join(this.folder, name));
  }

  /** @throws Error with the command's output when it fails */
  async run(block: ReadmeBlock): Promise<string> {
    switch (block.kind) {
      case 'FILE':
        writeFileSync(join(this.folder, block.name), block.text);
        return '';
      case 'BACKGROUND':
        return this.start(block.text, block.readyWord);
      case 'COMMANDS':
      case 'PYTHON':
        return this.command(block.text);
    }
  }

  async close(): Promise<void> {
    for (const child of this.background) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      if (child.exitCode === null) await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get env(): NodeJS.ProcessEnv {
    const path = this.python === undefined ? process.env['PATH'] : `${dirname(this.python)}${delimiter}${process.env['PATH'] ?? ''}`;
    return { ...process.env, PATH: path, LOCKSTEP_DATA: join(this.folder, 'data'), TF_CPP_MIN_LOG_LEVEL: '2' };
  }

  private command(text: string): string {
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', text], { cwd: this.folder, env: this.env, encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS });
    if (status !== 0) throw new Error(`${text.trim()} ended with ${status ?? 'a signal'}:\n${stdout}\n${stderr}`);
    return stdout;
  }

  private start(text: string, readyWord: string): Promise<string> {
    const child = spawn('bash', ['-c', `exec ${text.trim()}`], { cwd: this.folder, env: this.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.background.push(child);
    return new Promise((resolve, reject) => {
      let output = '';
      const timer = setTimeout(() => reject(new Error(`${text.trim()} did not say "${readyWord}" within ${READY_TIMEOUT_MS} ms:\n${output}`)), READY_TIMEOUT_MS);
      child.stderr.on('data', (bytes: Buffer) => { output += bytes.toString(); });
      child.stdout.on('data', (bytes: Buffer) => {
        output += bytes.toString();
        if (!output.includes(readyWord)) return;
        clearTimeout(timer);
        resolve(output);
      });
      child.once('exit', (code) => reject(new Error(`${text.trim()} ended with ${code ?? 'a signal'}:\n${output}`)));
    });
  }
}
