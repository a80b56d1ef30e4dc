import { ArtifactService } from '@lockstep/contract';
import { implement, startServer, type Logger, type RpcError, type RunningServer } from '@lockstep/rpc';
import { DiskBlobStore, EventLog, openDatabase, type FileSystem } from '@lockstep/storage';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { collectRegularly } from './collect-regularly';
import { mapError } from './error-mapper';
import { BlobKeeper } from './policy/blob-keeper';
import { CommitPolicy } from './policy/commit-policy';
import { DeletionPolicy } from './policy/deletion-policy';
import { ExecutionPolicy } from './policy/execution-policy';
import { GarbageCollector } from './policy/garbage-collector';
import type { PolicyContext } from './policy/policy-context';
import { blobServicer, type BlobCallLimits } from './servicer/blob-servicer';
import { executionServicer } from './servicer/execution-servicer';
import { gcServicer } from './servicer/gc-servicer';
import { versionServicer } from './servicer/version-servicer';
import { artifactMigrations, type ArtifactSchema } from './store/schema';

/** What the service bounds, so that no client makes it grow. */
export interface ArtifactLimits extends BlobCallLimits {
  readonly maxBlobBytes: number;
  readonly maxUploads: number;
  readonly uploadLeaseMs: number;
}

/** A download holds 4 MiB and an upload a message or two: with these counts all of them stay below 200 MiB. */
export const DEFAULT_LIMITS: ArtifactLimits = {
  maxWrites: 32, maxReads: 32, idleTimeoutMs: 30_000, maxBlobBytes: 1 << 30, maxUploads: 1024, uploadLeaseMs: 3600_000,
};

/** When garbage is collected. */
export interface GcSettings {
  /** How long a blob that no version has stays before it is removed. Longer than the lease of an upload, or slow uploads have to be repeated. */
  readonly graceMs: number;
  /** From one collection to the next; 0: only when it is asked for. */
  readonly intervalMs: number;
}

export const DEFAULT_GC: GcSettings = { graceMs: 24 * 3600_000, intervalMs: 3600_000 };

export interface ArtifactServiceOptions {
  readonly listen: string;
  /** Data folder. */
  readonly folder: string;
  readonly logger: Logger;
  readonly limits?: Partial<ArtifactLimits>;
  readonly gc?: GcSettings;
  /** The time in milliseconds since 1970; default: the system's. */
  readonly now?: () => number;
  /** The file system that blobs are kept on. */
  readonly files?: FileSystem;
}

/** A running artifact service. */
export interface RunningArtifactService {
  readonly server: RunningServer;
  /** Closes what the server works with; after its drain. */
  readonly close: () => Promise<void>;
}

/** How often uploads whose lease has ended are forgotten. */
const SWEEP_INTERVAL_MS = 60_000;

/**
 * Opens the data folder and serves it.
 *
 * @throws RpcError FAILED_PRECONDITION (OTHER_VERSION, OTHER_SERVICE, FOLDER_LOCKED), UNAVAILABLE (ADDRESS_IN_USE), RESOURCE_EXHAUSTED (DISK_FULL), DATA_LOSS
 */
export async function startArtifactService(options: ArtifactServiceOptions): Promise<RunningArtifactService> {
  try {
    return await start(options);
  } catch (e) {
    throw mapError(e) ?? e;
  }
}

async function start({ listen, folder, logger, limits: given, gc = DEFAULT_GC, now = Date.now, files }: ArtifactServiceOptions): Promise<RunningArtifactService> {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const database = await openDatabase<ArtifactSchema>({ folder, service: 'artifact', programVersion: programVersion(), migrations: artifactMigrations });
  try {
    const blobs = await DiskBlobStore.open({ root: folder, ...limits, now: () => performance.now(), ...(files && { files }) });
    const context: PolicyContext = { database, blobs, events: new EventLog(database), now, newId: () => randomUUID() };
    const keeper = new BlobKeeper(context);
    const collector = new GarbageCollector(context, keeper, gc.graceMs);
    const implementation = {
      ...versionServicer(context, new CommitPolicy(context, keeper), new DeletionPolicy(context)), ...executionServicer(context, new ExecutionPolicy(context)),
      ...blobServicer(context, keeper, limits), ...gcServicer(collector),
    };
    const server = await startServer({ listen, logger, services: [implement(ArtifactService, implementation)], mapError: (e) => logged(logger, mapError(e)) });
    const sweep = setInterval(() => {
      blobs.forgetStaleUploads().catch((err: unknown) => logger.error({ err }, 'could not remove uploads whose lease has ended'));
    }, SWEEP_INTERVAL_MS).unref();
    const collecting = collectRegularly(collector, gc.intervalMs, logger);
    return {
      server,
      close: async () => {
        clearInterval(sweep);
        await collecting.stop();
        await database.close();
      },
    };
  } catch (e) {
    await database.close();
    throw e;
  }
}

/** Failures of the machine, and not of a request, are the operator's business too. */
function logged(logger: Logger, error: RpcError | undefined): RpcError | undefined {
  const reason = error?.details.reason;
  if (error && (reason === 'DISK_FULL' || error.code === 'DATA_LOSS' || error.code === 'INTERNAL')) logger.error({ reason, err: error.cause }, error.message);
  return error;
}

function programVersion(): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')) as { readonly version: string };
  return version;
}
