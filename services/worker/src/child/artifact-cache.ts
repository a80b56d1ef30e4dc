import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Fetches files of versions into a folder that the jobs of an agent share; a file is fetched once. */
export class ArtifactCache {
  private readonly running = new Map<string, Promise<string>>();

  /**
   * @param fetchFile writes one file of a version, verified, and whole or not at all
   */
  constructor(
    private readonly folder: string,
    private readonly fetchFile: (version: string, path: string, target: string) => Promise<void>,
  ) {}

  /** Where a version's files lie once they are fetched. */
  versionFolder(version: string): string {
    return join(this.folder, ...version.split('/'));
  }

  /** The local path of a file of a version; concurrent callers share one download. */
  file(version: string, path: string): Promise<string> {
    const key = `${version}\n${path}`;
    const known = this.running.get(key);
    if (known) return known;
    const fetching = this.fetch(version, path);
    this.running.set(key, fetching);
    fetching.catch(() => this.running.delete(key)); // the next caller tries again
    return fetching;
  }

  private async fetch(version: string, path: string): Promise<string> {
    const target = join(this.versionFolder(version), ...path.split('/'));
    await mkdir(join(target, '..'), { recursive: true });
    await this.fetchFile(version, path, target);
    return target;
  }
}
