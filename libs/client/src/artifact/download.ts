/**
 * Fetches a version into a folder.
 *
 * 1. The folder appears with all of its files at once, or not at all: they are written beside it and renamed.
 * 2. Nothing that the service says is taken on trust: paths are checked, the manifest's digest and every blob's are compared.
 */
import type { ArtifactService, Version } from '@lockstep/contract';
import { RpcError, type ServiceClient } from '@lockstep/rpc';
import { buildManifest, manifestDigest, type BlobRef, type Manifest, type ManifestEntry } from '@lockstep/versions';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { types } from 'node:util';
import { forEachParallel } from './for-each-parallel';
import { progressCounter, type OnProgress } from './progress';
import { withRetry, type RetryPolicy } from './retry';
import { TransferError } from './transfer-error';
import { BLOB_TIMEOUT_MS } from './upload-blob';

type Client = ServiceClient<typeof ArtifactService>;

/** A piece of a file that is to be fetched. */
interface BlobTask {
  readonly file: string;
  readonly offset: number;
  readonly blob: BlobRef;
}

export interface DownloadOptions {
  readonly onProgress?: OnProgress;
  /** Only these files of the version. Default: all. */
  readonly select?: (path: string) => boolean;
  readonly signal?: AbortSignal;
}

/** The manifest of a version that was received, checked. @throws TransferError DATA_LOSS */
export function manifestOf(version: Version): Manifest {
  const result = buildManifest(version.entries.map((entry) => ({
    path: entry.path, mode: entry.mode, sizeBytes: Number(entry.sizeBytes), blobs: entry.blobs.map((b) => ({ sha256: b.sha256, sizeBytes: Number(b.sizeBytes) })),
  })));
  switch (result.kind) {
    case 'INVALID': throw new TransferError('DATA_LOSS', `the manifest of ${version.name} is not valid: ${result.violations.map((v) => `${v.field}: ${v.description}`).join('; ')}`);
    case 'VALID': {
      const digest = manifestDigest(result.manifest);
      if (digest !== version.digest) throw new TransferError('DATA_LOSS', `the manifest of ${version.name} has the digest ${digest}, not ${version.digest}: do not use what this service sends`);
      return result.manifest;
    }
  }
}

/**
 * @param directory must not exist, or be empty
 * @throws TransferError TARGET_EXISTS, DATA_LOSS; RpcError
 */
export async function downloadVersion(client: Client, version: Version, directory: string, parallel: number, retry: RetryPolicy, options: DownloadOptions): Promise<void> {
  const entries = manifestOf(version).entries.filter((entry) => options.select?.(entry.path) ?? true);
  await requireFree(directory);
  const staging = `${directory}.partial-${randomUUID()}`;
  try {
    await createFiles(staging, entries);
    const tasks = entries.flatMap((entry) => tasksOf(path.join(staging, entry.path), entry));
    const count = progressCounter('DOWNLOAD', tasks.reduce((sum, t) => sum + t.blob.sizeBytes, 0), options.onProgress);
    await forEachParallel(tasks, parallel, async (task) => {
      await withRetry(retry, options.signal, () => fetchBlob(client, task, options.signal));
      count(task.blob.sizeBytes);
    });
    await fs.rename(staging, directory); // Replaces an empty folder.
  } catch (e) {
    await fs.rm(staging, { recursive: true, force: true });
    throw e;
  }
}

async function requireFree(directory: string): Promise<void> {
  const names = await fs.readdir(directory).catch((e: unknown) => {
    if (types.isNativeError(e) && 'code' in e && e.code === 'ENOENT') return [];
    throw e;
  });
  if (names.length > 0) throw new TransferError('TARGET_EXISTS', `${directory} exists and is not empty: choose another folder, or remove it first`);
}

async function createFiles(root: string, entries: readonly ManifestEntry[]): Promise<void> {
  await fs.mkdir(root, { recursive: true });
  for (const { path: relative, mode } of entries) {
    const file = path.join(root, relative);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await (await fs.open(file, 'wx', mode)).close();
  }
}

function tasksOf(file: string, entry: ManifestEntry): readonly BlobTask[] {
  let offset = 0;
  return entry.blobs.map((blob) => {
    const task = { file, offset, blob };
    offset += blob.sizeBytes;
    return task;
  });
}

async function fetchBlob(client: Client, { file, offset, blob }: BlobTask, signal: AbortSignal | undefined): Promise<void> {
  const handle = await fs.open(file, 'r+');
  try {
    const hash = createHash('sha256');
    let received = 0;
    for await (const { data } of client.readBlob({ sha256: blob.sha256 }, { timeoutMs: BLOB_TIMEOUT_MS, ...(signal && { signal }) })) {
      hash.update(data);
      await handle.write(data, 0, data.length, offset + received);
      received += data.length;
      if (received > blob.sizeBytes) break;
    }
    if (received < blob.sizeBytes) throw new RpcError('UNAVAILABLE', `blob ${blob.sha256} ended after ${received} of ${blob.sizeBytes} bytes`);
    if (received > blob.sizeBytes || hash.digest('hex') !== blob.sha256) {
      throw new TransferError('DATA_LOSS', `blob ${blob.sha256} arrived with other bytes than its name says: do not use what this service sends`);
    }
  } finally {
    await handle.close();
  }
}
