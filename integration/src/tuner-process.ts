import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TunerClient } from '@lockstep/client';
import { startService, type ServiceProcess } from './service-process';

/** A tuner as its users run it, that can be killed and started again on the same data and port. */
export class TunerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-tuner-'));
  private running: ServiceProcess | undefined;
  private at = '127.0.0.1:0';

  constructor(private readonly flags: readonly string[] = []) {}

  /** host:port, the same after every start. */
  get address(): string {
    return this.at;
  }

  get pid(): number {
    return this.running?.process.pid ?? 0;
  }

  /** Where KerasTuner's workers are served, in the order of the flags. */
  async kerasAddresses(): Promise<readonly string[]> {
    const addresses = (await this.running?.facts)?.['kerasTuner'];
    return typeof addresses === 'string' ? addresses.split(',') : [];
  }

  async start(): Promise<void> {
    this.running = startService('tuner', ['--listen', this.at, '--data', join(this.folder, 'data'), '--log-level', 'warn', ...this.flags]);
    this.at = await this.running.ready;
  }

  /** SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const { process: child } = this.running ?? {};
    if (!child || child.exitCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
  }

  client(): TunerClient {
    return new TunerClient(this.at, { attempts: 60, firstDelayMs: 50, maxDelayMs: 500 });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
