/** The tuner as a process. */
import '@lockstep/rpc/telemetry';
import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ArtifactClient, CoordinatorClient } from '@lockstep/client';
import { createLogger, openChannel, packageVersion, runService } from '@lockstep/rpc';
import { awaitLeadership, keepLeadership } from '@lockstep/storage';
import { readConfig, type TunerConfig } from './config';
import { mapTunerError } from './map-error';
import { SqlStudyStore } from './store/sql-study-store';
import { SuggestionThreads } from './suggest/suggestion-threads';
import { startTunerService } from './tuner-service';

/** Exit code for settings that cannot be used. */
const EXIT_USAGE = 2;

const logger = createLogger('tuner', 'info');
const configured = readArguments();
switch (configured.kind) {
  case 'HELP':
    process.stdout.write(configured.text);
    break;
  case 'CONFIG':
    logger.level = configured.config.logLevel;
    runService(logger, () => serve(configured.config).catch((e: unknown) => { throw mapTunerError(e) ?? e; }));
}

function readArguments(): ReturnType<typeof readConfig> {
  try {
    return readConfig(process.argv.slice(2), process.env);
  } catch (e) {
    process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n`);
    process.exit(EXIT_USAGE);
  }
}

async function serve(config: TunerConfig): ReturnType<Parameters<typeof runService>[1]> {
  const { store, release } = await openStore(config, packageVersion(__dirname));
  const threads = new SuggestionThreads(config.suggestionThreads, logger);
  // The time of day at the start, and a clock that nobody sets from there on.
  const startedMs = Date.now() - performance.now();
  const nowMs = (): number => Math.round(startedMs + performance.now());
  const { listen, kerasTuner, coordinator, artifact } = config;
  const artifactChannel = artifact === undefined ? undefined : openChannel(artifact);
  const jobs = coordinator === undefined ? undefined : new CoordinatorClient(coordinator);
  const { server, kerasAddresses, close } = await startTunerService({ listen, kerasTuner, store, threads, ...(jobs && { jobs }), ...(artifactChannel && { artifacts: new ArtifactClient(artifactChannel) }), logger, nowMs });
  return {
    server, facts: kerasAddresses.length > 0 ? { kerasTuner: kerasAddresses.join(',') } : {},
    close: async () => {
      await close();
      jobs?.close();
      artifactChannel?.close();
      await threads.close();
      await release();
      await store.close();
    },
  };
}

/** The studies in a data folder, or on a database server, where this process waits for its turn. */
async function openStore(config: TunerConfig, version: string): Promise<{ readonly store: SqlStudyStore; readonly release: () => Promise<void> }> {
  if (config.database === undefined) {
    await mkdir(config.dataFolder, { recursive: true });
    return { store: await SqlStudyStore.openFolder(config.dataFolder, version), release: () => Promise.resolve() };
  }
  const store = await SqlStudyStore.openServer(config.database, version);
  const parts = { service: 'tuner', leases: store.leases, holder: `${hostname()}-${process.pid}-${randomInt(2 ** 32)}`, ttlMs: config.leaderLeaseMs, logger };
  const lease = await awaitLeadership(parts);
  const release = keepLeadership(parts, lease, (error) => {
    logger.fatal({ err: error }, 'this tuner leads no more: it ends');
    process.exit(1);
  });
  return { store: store.underLease(lease), release };
}
