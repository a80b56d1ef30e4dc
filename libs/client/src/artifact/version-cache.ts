import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Version } from '@lockstep/contract';
import type { ArtifactClient } from './artifact-client';

/**
 * Files of versions, fetched once into a folder that several processes may share.
 *
 * 1. A file lies in a folder of its own, which appears whole: what is there was verified.
 * 2. Versions never change, so nothing here becomes stale.
 */
export class VersionCache {
  private readonly versions = new Map<string, Promise<Version>>();
  private readonly files = new Map<string, Promise<string>>();

  constructor(private readonly client: ArtifactClient, private readonly folder: string) {}

  /** A version with its entries. */
  version(name: string): Promise<Version> {
    return once(this.versions, name, () => this.client.getVersion(name));
  }

  /** Whether a version has a file. */
  async has(version: string, path: string): Promise<boolean> {
    return (await this.version(version)).entries.some((entry) => entry.path === path);
  }

  /**
   * The local path of a file of a version; fetched by the first who asks.
   *
   * @throws TransferError, RpcError
   */
  file(version: string, path: string): Promise<string> {
    return once(this.files, `${version}\n${path}`, () => this.fetch(version, path));
  }

  private async fetch(version: string, path: string): Promise<string> {
    const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
    const folder = join(this.folder, ...version.split('/'), name);
    const file = join(folder, ...path.split('/'));
    if (await exists(file)) return file;
    try {
      await this.client.downloadTo(version, folder, { select: (p) => p === path });
    } catch (e) {
      // Another process may have put it there meanwhile; anything else is an error.
      if (!(await exists(file))) throw e;
    }
    return file;
  }
}

/** Callers at the same time share one promise; a failure is forgotten, so that the next caller tries again. */
function once<T>(running: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = running.get(key);
  if (known) return known;
  const made = make();
  running.set(key, made);
  made.catch(() => running.delete(key));
  return made;
}

const exists = (file: string): Promise<boolean> => access(file).then(() => true, () => false);
