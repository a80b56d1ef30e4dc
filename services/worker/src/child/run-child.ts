/**
 * A member's life within one job: meets the group, runs the module, reports its end, and commits the model if it is the chief.
 */
import { MessageChannel } from 'node:worker_threads';
import { join } from 'node:path';
import type { Assignment, JobError } from '@lockstep/contract';
import { fingerprintOf, selectBackend, sharedModules, type SelectedBackend } from '@lockstep/backend';
import { createExchange, type ExchangeHandle } from '@lockstep/exchange';
import { LocalCollective, type Collective } from '@lockstep/reduction';
import type { ChildConfig } from '../child-config';
import { packageVersion } from '@lockstep/rpc';
import { toJobError } from './job-error';
import { MemberLink } from './member-link';
import { provideModules } from './module-loader';
import { toNumericsFingerprint } from './numerics-fingerprint';
import { runModule } from './run-module';

/** How long the word of a failure may take to arrive before the process exits. */
const FAREWELL_MS = 2000;

/** @returns whether the job succeeded as far as this member is concerned */
export async function runChild(config: ChildConfig): Promise<boolean> {
  const backend = await selectBackend(process.env, { mathThreads: config.mathThreads });
  provideModules(sharedModules(backend));
  const channel = new MessageChannel();
  const exchange = await createExchange({
    host: config.host, token: Buffer.from(config.token, 'base64'),
    threadFile: join(__dirname, 'io-thread.js'), threadExtra: channel.port2, threadTransfer: [channel.port2],
  });
  const link = new MemberLink(channel.port1);
  const session = new Session(config, backend, exchange, link);
  try {
    return await session.run();
  } finally {
    await exchange.close();
  }
}

class Session {
  private rank = 0;

  constructor(
    private readonly config: ChildConfig,
    private readonly backend: SelectedBackend,
    private readonly exchange: ExchangeHandle,
    private readonly link: MemberLink,
  ) {
    // The job is over, or goes on without this member: nothing that it still computes matters.
    this.link.onAbort = () => setTimeout(() => process.exit(0), 0);
  }

  async run(): Promise<boolean> {
    const { config, link } = this;
    link.open(config.coordinator, { case: 'hello', value: {
      $typeName: 'lockstep.coordinator.v1.MemberHello', job: config.job, worker: config.worker, token: Buffer.from(config.token, 'base64'),
      exchangeAddress: this.exchange.address, version: packageVersion(join(__dirname, '..')),
      fingerprint: toNumericsFingerprint(fingerprintOf(this.backend, 'eager', process.env)),
    } });
    const command = await link.next();
    if (command.case !== 'assignment') throw new Error(`the coordinator sent ${command.case ?? 'nothing'} before the assignment`);
    const assignment = command.value;
    this.rank = assignment.rank;
    try {
      const collective = await this.connect(assignment);
      link.send({ case: 'ready', value: { $typeName: 'lockstep.coordinator.v1.MemberReady' } });
      const proceed = await link.next();
      if (proceed.case !== 'proceed') throw new Error(`the coordinator sent ${proceed.case ?? 'nothing'} instead of proceed`);
      // What the module started and did not wait for is the module's too.
      const stray = new Promise<never>((_, reject) => process.once('uncaughtException', reject));
      await Promise.race([runModule({ config, assignment, collective, backend: this.backend, exchange: this.exchange, link }), stray]);
      // Others may still work, or the chief commit: the coordinator ends the session when the job has ended, or by its deadlines.
      await this.jobEnd();
      return true;
    } catch (e) {
      const error = toJobError(e, { worker: config.worker, rank: this.rank });
      this.complain(error);
      link.send({ case: 'failed', value: { $typeName: 'lockstep.coordinator.v1.MemberFailed', error } });
      await this.jobEnd(FAREWELL_MS);
      return false;
    }
  }

  private async connect({ spec, generation, rank }: Assignment): Promise<Collective> {
    const replicas = spec?.replicas ?? 1;
    const members = generation?.members ?? [];
    if (members.length === 1) return new LocalCollective(replicas);
    return this.exchange.configure({
      job: this.config.job, generation: generation?.number ?? 0n, rank, replicas, token: Buffer.from(this.config.token, 'base64'),
      members: members.map((m) => ({ rank: m.rank, address: m.exchangeAddress, range: { from: m.replicas?.from ?? 0, to: m.replicas?.to ?? 0 } })),
    });
  }

  private complain(error: JobError): void {
    process.stderr.write(`${this.config.worker} (rank ${this.rank}): ${error.message}\n${error.stack === '' ? '' : `${error.stack}\n`}`);
  }

  /** Waits until the coordinator ends the session, so that what was sent has arrived. */
  private async jobEnd(withinMs?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    this.link.onAbort = () => undefined;
    const ended = this.link.next().then(() => undefined, () => undefined);
    const late = new Promise<void>((resolve) => { if (withinMs !== undefined) timer = setTimeout(resolve, withinMs); });
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }
}
