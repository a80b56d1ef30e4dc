/** The coordinator as a process. */
import '@lockstep/rpc/telemetry';
import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { CoordinatorService, SessionService } from '@lockstep/contract';
import { createLogger, implement, openChannel, packageVersion, runService, startServer } from '@lockstep/rpc';
import { ArtifactClient, checkpointArtifact } from '@lockstep/client';
import { awaitLeadership, keepLeadership } from '@lockstep/storage';
import { AgentRegistry } from './agent-registry';
import { ArtifactCatalog, removeScratch } from './artifact-catalog';
import { readConfig, type CoordinatorConfig } from './config';
import { Coordinator } from './coordinator';
import { coordinatorServicer } from './coordinator-servicer';
import { DescriptorWatch } from './descriptor-watch';
import { JobRetention } from './job-retention';
import { mapCoordinatorError } from './map-error';
import { SessionServicer } from './session-servicer';
import { SqlJobStore } from './sql-job-store';

const TICK_MS = 250;
const SWEEP_INTERVAL_MS = 3_600_000;
const HEARTBEATS_A_LEASE = 6;
/** An accusation waits for its cause: the loss of the accused is heard of sooner by other ways. */
const SUSPICION_MS = 1500;
const JOIN_RETRY_MS = 1000;
const ID_LETTERS = 'abcdefghjkmnpqrstvwxyz0123456789';
const ID_LENGTH = 8;

const logger = createLogger('coordinator', 'info');

runService(logger, async () => {
  const config = readConfig(process.argv.slice(2), process.env);
  logger.level = config.logLevel;
  const version = packageVersion(__dirname);
  const { store, release } = await openStore(config, version);
  await removeScratch(config.dataFolder);
  const artifactChannel = openChannel(config.artifact);
  const artifacts = new ArtifactClient(artifactChannel);
  // The time of day at the start, and a clock that nobody sets from there on.
  const startedMs = Date.now() - performance.now();
  const nowMs = (): number => Math.round(startedMs + performance.now());
  const newId = (): string => Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
  const coordinator = new Coordinator(store, new AgentRegistry(), {
    advance: (job, generation) => artifacts.advanceFence(job, generation),
    retain: async (job, kept, reason) => void await artifacts.retainVersions(checkpointArtifact(job), kept, reason),
  }, {
    artifactAddress: config.artifact, rendezvousTimeoutMs: config.rendezvousTimeoutMs, exportTimeoutMs: config.exportTimeoutMs, prepareTimeoutMs: config.prepareTimeoutMs,
    absenceMs: config.leaseMs, suspicionMs: SUSPICION_MS, joinRetryMs: JOIN_RETRY_MS,
  }, { nowMs, newId }, logger);
  await coordinator.recover();
  const sessions = new SessionServicer(coordinator, { leaseMs: config.leaseMs, heartbeatIntervalMs: config.leaseMs / HEARTBEATS_A_LEASE, version }, nowMs, logger);
  const catalog = new ArtifactCatalog(artifacts, config.dataFolder);
  const server = await startServer({
    listen: config.listen, logger, mapError: mapCoordinatorError,
    services: [implement(CoordinatorService, coordinatorServicer(coordinator, store, catalog)), implement(SessionService, sessions.implementation)],
  });
  const retention = new JobRetention(store, config.jobRetentionMs, { nowMs }, logger);
  void retention.sweep();
  const sweeps = setInterval(() => void retention.sweep(), SWEEP_INTERVAL_MS);
  const descriptors = new DescriptorWatch(logger);
  const timer = setInterval(() => {
    descriptors.check();
    sessions.checkLeases();
    coordinator.tick(sessions.silence()).catch((e: unknown) => logger.error({ err: e }, 'a tick failed'));
  }, TICK_MS);
  return {
    server,
    beforeDrain: () => coordinator.leave(),
    close: async () => {
      clearInterval(timer);
      clearInterval(sweeps);
      await retention.settled();
      coordinator.close();
      artifactChannel.close();
      await release();
      await store.close();
    },
  };
});

/** The jobs in a data folder, or on a database server, where this process waits until it leads. */
async function openStore(config: CoordinatorConfig, version: string): Promise<{ readonly store: SqlJobStore; readonly release: () => Promise<void> }> {
  await mkdir(config.dataFolder, { recursive: true });
  if (config.database === undefined) return { store: await SqlJobStore.openFolder(config.dataFolder, version), release: () => Promise.resolve() };
  const store = await SqlJobStore.openServer(config.database, version);
  const parts = { service: 'coordinator', leases: store.leases, holder: `${hostname()}-${process.pid}-${randomInt(2 ** 32)}`, ttlMs: config.leaderLeaseMs, logger };
  const lease = await awaitLeadership(parts);
  const release = keepLeadership(parts, lease, (error) => {
    logger.fatal({ err: error }, 'this coordinator leads no more: it ends');
    process.exit(1);
  });
  return { store: store.underLease(lease), release };
}
