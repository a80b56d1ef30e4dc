import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VersionCache, type ArtifactClient } from '@lockstep/client';
import { countRecords, ExamplesError, parseSchema } from '@lockstep/examples';
import { RpcError } from '@lockstep/rpc';
import { Serial } from './serial';
import { DataProblem, type Catalog, type CatalogFile, type CatalogVersion } from './submission';

const SCRATCH_PREFIX = 'scratch-';

/** Removes what a coordinator that was killed left of its checks. */
export async function removeScratch(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) if (name.startsWith(SCRATCH_PREFIX)) await rm(join(dataFolder, name), { recursive: true, force: true });
}

/**
 * The artifact service as submissions see it. Record counts are found by reading every record once, which checks its
 * CRCs too; a version never changes, so its counts are kept in the data folder.
 */
export class ArtifactCatalog implements Catalog {
  private readonly counting = new Serial();

  constructor(private readonly artifacts: ArtifactClient, private readonly dataFolder: string) {}

  async version(name: string): Promise<CatalogVersion | undefined> {
    try {
      const version = await this.artifacts.getVersion(name);
      return { name: version.name, type: version.type, files: version.entries.map((e) => ({ path: e.path, sizeBytes: Number(e.sizeBytes) })) };
    } catch (e) {
      if (RpcError.from(e).code === 'NOT_FOUND') return undefined;
      throw e;
    }
  }

  /** Submissions at the same time count a version one after the other: the second finds the counts of the first. */
  countRecords(version: CatalogVersion, files: readonly CatalogFile[]): Promise<ReadonlyMap<string, number>> {
    return this.counting.run(() => this.count(version, files));
  }

  private async count(version: CatalogVersion, files: readonly CatalogFile[]): Promise<ReadonlyMap<string, number>> {
    const kept = await this.readCounts(version);
    const missing = files.filter((f) => !kept.has(f.path));
    const scratch = await mkdtemp(join(this.dataFolder, SCRATCH_PREFIX));
    const cache = new VersionCache(this.artifacts, scratch);
    try {
      for (const { path } of missing) {
        const local = await cache.file(version.name, path);
        try {
          kept.set(path, await countRecords(local));
        } catch (e) {
          // The reader knows the copy; people know the version.
          throw e instanceof ExamplesError ? new DataProblem(`${path} of ${version.name}: ${e.message.replaceAll(local, path)}`, { cause: e }) : e;
        }
        await rm(local);
      }
      if (missing.length > 0) await this.writeCounts(version, kept);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return kept;
  }

  async schemaProblem(version: CatalogVersion, path: string): Promise<string | undefined> {
    const text = await this.text(version, path);
    try {
      parseSchema(text, path);
      return undefined;
    } catch (e) {
      if (e instanceof ExamplesError) return e.message;
      throw e;
    }
  }

  async text(version: CatalogVersion, path: string): Promise<string> {
    const scratch = await mkdtemp(join(this.dataFolder, SCRATCH_PREFIX));
    try {
      return await readFile(await new VersionCache(this.artifacts, scratch).file(version.name, path), 'utf8');
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  private countsFile(version: CatalogVersion): string {
    return join(this.dataFolder, 'record-counts', `${version.name.replaceAll('/', '-')}.json`);
  }

  private async readCounts(version: CatalogVersion): Promise<Map<string, number>> {
    try {
      return new Map(JSON.parse(await readFile(this.countsFile(version), 'utf8')) as [string, number][]);
    } catch (e) {
      // Not counted yet, or written in part when the machine went down: counting again gives the same.
      if (e instanceof SyntaxError || (e instanceof Error && 'code' in e && e.code === 'ENOENT')) return new Map();
      throw e;
    }
  }

  private async writeCounts(version: CatalogVersion, counts: ReadonlyMap<string, number>): Promise<void> {
    const file = this.countsFile(version);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(`${file}.new`, JSON.stringify([...counts]));
    await rename(`${file}.new`, file);
  }
}
