/**
 * A member's life within one job: meets the group or joins it, runs the module, reports its end, takes part in what the
 * others still need, and commits the model if it is asked to.
 */
import { MessageChannel } from 'node:worker_threads';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { NumericsFingerprintSchema, type JobError } from '@lockstep/contract';
import { fingerprintOf, selectBackend, sharedModules, type SelectedBackend } from '@lockstep/backend';
import { createExchange, type ExchangeHandle } from '@lockstep/exchange';
import { ElasticCollective } from '@lockstep/membership';
import type { ChildConfig } from '../child-config';
import * as authorModule from '@lockstep/module';
import { packageVersion } from '@lockstep/rpc';
import { ElasticMembership } from './elastic-membership';
import { toJobError } from './job-error';
import { MemberLink } from './member-link';
import { provideModules } from './module-loader';
import { toNumericsFields } from './numerics-fingerprint';
import { runModule, type FinishedModule } from './run-module';

/** How long the word of a failure may take to arrive before the process exits. */
const FAREWELL_MS = 2000;
/** A member takes up its assignment when the step is over that it computes. */
const CONNECT_SLACK_MS = 30_000;

/** @returns whether the job succeeded as far as this member is concerned */
export async function runChild(config: ChildConfig): Promise<boolean> {
  const backend = await selectBackend(process.env, { mathThreads: config.mathThreads });
  provideModules(new Map([...sharedModules(backend), ['@lockstep/module', authorModule]]));
  const channel = new MessageChannel();
  const exchange = await createExchange({
    host: config.host, token: Buffer.from(config.token, 'base64'), timeoutMs: config.stepTimeoutMs, connectTimeoutMs: config.stepTimeoutMs + CONNECT_SLACK_MS,
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
  private readonly membership: ElasticMembership;

  constructor(
    private readonly config: ChildConfig,
    private readonly backend: SelectedBackend,
    private readonly exchange: ExchangeHandle,
    private readonly link: MemberLink,
  ) {
    this.membership = new ElasticMembership({
      job: config.job, token: Buffer.from(config.token, 'base64'), link, exchange,
      onHold: (what) => process.stderr.write(`${config.worker}: ${what}\n`),
    });
    // The job is over, or goes on without this member: nothing that it still computes matters.
    this.link.onEnded = () => setTimeout(() => process.exit(0), 0);
  }

  async run(): Promise<boolean> {
    const { config, link, backend, exchange, membership } = this;
    link.open(config.coordinator, config.stepTimeoutMs, { case: 'hello', value: {
      $typeName: 'lockstep.coordinator.v1.MemberHello', job: config.job, worker: config.worker, child: config.child, token: Buffer.from(config.token, 'base64'),
      exchangeAddress: exchange.address, version: packageVersion(join(__dirname, '..')), rejoins: false,
      fingerprint: create(NumericsFingerprintSchema, toNumericsFields(fingerprintOf(backend, 'eager', process.env))),
    } });
    const assignment = await link.firstAssignment();
    const collective = new ElasticCollective(assignment.spec?.replicas ?? 1, membership);
    const entrance = (assignment.generation?.members.length ?? 0) > 0 ? 'START' : 'JOIN';
    try {
      // What the module started and did not wait for is the module's too.
      const stray = new Promise<never>((_, reject) => process.once('uncaughtException', reject));
      const module = await Promise.race([runModule({ config, assignment, entrance, collective, membership, backend, exchange, link }), stray]);
      await this.attend(collective, module);
      await module.close();
      return true;
    } catch (e) {
      const error = toJobError(e, { worker: config.worker, rank: membership.current?.rank ?? 0 });
      this.complain(error);
      link.send({ case: 'failed', value: { $typeName: 'lockstep.coordinator.v1.MemberFailed', error } });
      await this.farewell();
      return false;
    }
  }

  /** Others may still work and need this member, or it is to commit: until the coordinator ends the job. */
  private async attend(collective: ElasticCollective, module: FinishedModule): Promise<void> {
    this.link.onEnded = () => undefined;
    for (;;) {
      const errand = await this.link.nextErrand();
      switch (errand.kind) {
        case 'ENDED':
          return;
        case 'REGROUP':
          collective.attend();
          break;
        case 'COMMIT_MODEL':
          await module.commit(errand.generation);
          break;
      }
    }
  }

  private complain(error: JobError): void {
    const rank = this.membership.current?.rank;
    process.stderr.write(`${this.config.worker}${rank === undefined ? '' : ` (rank ${rank})`}: ${error.message}\n${error.stack === '' ? '' : `${error.stack}\n`}`);
  }

  /** Waits until the coordinator ends the session, so that what was sent has arrived. */
  private async farewell(): Promise<void> {
    this.link.onEnded = () => undefined;
    const late = new Promise<void>((resolve) => { setTimeout(resolve, FAREWELL_MS).unref(); });
    const ended = (async () => {
      while ((await this.link.nextErrand()).kind !== 'ENDED');
    })();
    await Promise.race([ended, late]);
  }
}
