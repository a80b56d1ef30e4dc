import fc from 'fast-check';
import { removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import { formatVersionName, manifestBlobs, sha256Of, VersionsError, type VersionName } from '@lockstep/versions';
import { versionStore } from '../store/version-store';
import { manifestOf, openCollectedService, type CollectedService } from '../testing/collected-service';
import { Crashed, CrashingDisk, type CrashKind, type CrashPlan } from '../testing/crashing-disk';

removeTemporaryFolders();
const GRACE_MS = 1000;
const CONTENTS = Array.from({ length: 5 }, (_, i) => Buffer.from(`content ${i}`.repeat(i + 1)));
const contentsOf = (mask: number) => CONTENTS.filter((_, i) => (mask & (1 << i)) !== 0);

/** What clients do at once in the life of one process, and how it ends. */
interface Life {
  /** For each client the contents, as bits, of the versions that it commits, one after the other. */
  readonly clients: readonly (readonly { readonly artifact: 'a' | 'b'; readonly mask: number }[])[];
  readonly deletions: number;
  /** Before each collection this much time passes. */
  readonly collections: readonly number[];
  /** Operations until the crash; beyond their number the life ends in peace. */
  readonly crashAfter: number;
  readonly crash: CrashKind;
}

const lives: fc.Arbitrary<readonly Life[]> = fc.array(fc.record({
  clients: fc.array(fc.array(fc.record({ artifact: fc.constantFrom('a' as const, 'b' as const), mask: fc.integer({ min: 1, max: 31 }) }), { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 3 }),
  deletions: fc.integer({ min: 0, max: 8 }),
  collections: fc.array(fc.constantFrom(0, GRACE_MS - 1, GRACE_MS, 3 * GRACE_MS), { minLength: 2, maxLength: 12 }),
  crashAfter: fc.integer({ min: 1, max: 600 }),
  crash: fc.constantFrom('KILL' as const, 'POWER_LOSS' as const),
}), { minLength: 1, maxLength: 4 });

/** A sequence of numbers that a seed decides (xorshift). */
function dice(seed: number): (sides: number) => number {
  let state = seed | 1;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

const ticks = async (count: number): Promise<void> => { for (let i = 0; i < count; i++) await new Promise(setImmediate); };

/** One installation, through all its processes. */
class World {
  nowMs = 1_700_000_000_000;
  readonly disk = new CrashingDisk();
  readonly folder = temporaryFolder();
  /** Versions whose commits were answered. */
  readonly answered = new Map<string, number>();
  readonly deletionsTried = new Set<string>();
  readonly deletionsAnswered = new Set<string>();

  constructor(private readonly roll: (sides: number) => number) {}

  open(plan: CrashPlan): Promise<CollectedService> {
    return openCollectedService({ folder: this.folder, disk: this.disk, plan, graceMs: GRACE_MS, now: () => this.nowMs });
  }

  async live(life: Life): Promise<void> {
    let left = life.crashAfter;
    let started = false;
    const plan: CrashPlan = {
      step: async () => {
        if (!started) return;
        if (left-- <= 0) throw new Crashed();
        // Now and then somebody is slow, and much happens around it.
        await ticks(this.roll(12) === 0 ? this.roll(60) : this.roll(3));
      },
    };
    const service = await this.open(plan);
    started = true;
    const run = async (act: () => Promise<void>): Promise<void> => {
      try {
        await act();
      } catch (e) {
        // What a process that crashes does not catch; failures of its disk come wrapped.
        if (left > 0) throw e;
      }
    };
    await Promise.all([
      ...life.clients.map((commits) => run(async () => { for (const { artifact, mask } of commits) await this.commit(service, artifact, mask); })),
      run(async () => { for (let i = 0; i < life.deletions; i++) await this.deleteOne(service); }),
      run(async () => { for (const byMs of life.collections) await this.collect(service, byMs); }),
    ]);
    await service.close();
    if (left <= 0) this.disk.crash(life.crash);
  }

  /** As ArtifactClient does; repeated when a grace has passed between asking and committing. */
  private async commit({ isMissing, write, commits }: CollectedService, artifact: string, mask: number): Promise<void> {
    const contents = contentsOf(mask);
    for (;;) {
      for (const bytes of contents) if (await isMissing(bytes)) await write(bytes);
      await ticks(this.roll(20));
      try {
        const { version } = await commits.commit({ artifact, type: 'T', labels: [], manifest: manifestOf(contents) });
        this.answered.set(formatVersionName(version), mask);
        return;
      } catch (e) {
        if (!(e instanceof VersionsError && e.reason === 'BLOBS_MISSING')) throw e;
      }
    }
  }

  private async deleteOne({ deletions }: CollectedService): Promise<void> {
    await ticks(this.roll(60));
    const names = [...this.answered.keys()];
    const name = names[this.roll(Math.max(1, names.length))];
    if (name === undefined) return;
    const [, artifact = '', , number] = name.split('/');
    this.deletionsTried.add(name);
    await deletions.delete({ artifact, number: Number(number) }, 'test');
    this.deletionsAnswered.add(name);
  }

  private async collect({ collector }: CollectedService, afterMs: number): Promise<void> {
    await ticks(this.roll(30));
    this.nowMs += afterMs;
    await collector.run(this.roll(5) === 0, new AbortController().signal);
  }

  /** Everything that was promised is there, and readable. @returns digests of the blobs that versions have */
  async check({ context: { database: { query }, blobs } }: CollectedService): Promise<ReadonlySet<string>> {
    const there = new Map<string, VersionName>();
    const live = new Set<string>();
    for (const artifact of ['a', 'b']) {
      for (const version of await versionStore.listVersions(query, artifact, false, { limit: 1000 })) {
        there.set(formatVersionName(version), version);
        for (const { sha256, sizeBytes } of manifestBlobs(await versionStore.readManifest(query, version))) {
          live.add(sha256);
          const pieces: Uint8Array[] = [];
          for await (const piece of (await blobs.read(sha256)).pieces) pieces.push(piece);
          expect(Buffer.concat(pieces)).toHaveLength(sizeBytes);
        }
      }
    }
    for (const [name, mask] of this.answered) {
      if (this.deletionsAnswered.has(name)) expect(there.has(name)).toBe(false);
      else if (!this.deletionsTried.has(name)) expect(there.has(name)).toBe(true);
      const version = there.get(name);
      if (version) expect((await versionStore.findVersion(query, version))?.sizeBytes).toBe(contentsOf(mask).reduce((sum, c) => sum + c.length, 0));
    }
    return live;
  }
}

const peace: CrashPlan = { step: () => Promise.resolve() };
const stored = async ({ context: { blobs } }: CollectedService): Promise<string[]> => {
  const found: string[] = [];
  for await (const portion of blobs.digests()) found.push(...portion);
  return found.sort();
};

test('whatever clients, collections and crashes do to one another, no blob of a version is ever missing, and what is dead is gone after the grace', async () => {
  await fc.assert(fc.asyncProperty(lives, fc.integer(), async (all, seed) => {
    const world = new World(dice(seed));
    for (const life of all) {
      await world.live(life);
      const service = await world.open(peace);
      await world.check(service);
      await service.close();
    }
    const service = await world.open(peace);
    const signal = new AbortController().signal;
    await service.collector.run(false, signal);
    world.nowMs += GRACE_MS;
    await service.collector.run(false, signal);
    const live = await world.check(service);
    expect(await stored(service)).toEqual([...live].sort());
    expect(await service.context.database.query.selectFrom('condemned_blob').selectAll().execute()).toEqual([]);
    await service.close();
  }), { numRuns: 60, interruptAfterTimeLimit: 40_000 });
});

describe('a collection', () => {
  let world: World;
  let service: CollectedService;
  beforeEach(async () => {
    world = new World(dice(1));
    service = await world.open(peace);
  });
  afterEach(() => service.close());
  const [A = Buffer.alloc(0), B = Buffer.alloc(0)] = CONTENTS;
  const commit = (contents: readonly Buffer[], artifact = 'a') => service.commits.commit({ artifact, type: 'T', labels: [], manifest: manifestOf(contents) });
  const collect = (validateOnly = false) => service.collector.run(validateOnly, new AbortController().signal);
  const pass = (byMs: number): void => { world.nowMs += byMs; };
  const none = { blobs: 0, sizeBytes: 0 };
  const one = (bytes: Buffer) => ({ blobs: 1, sizeBytes: bytes.length });

  test('condemns what was never committed and what was deleted, and removes both after the grace and not before', async () => {
    for (const bytes of [A, B]) await service.write(bytes);
    await commit([A]);
    expect(await collect()).toEqual({ versions: 1, deletedVersions: 0, kept: one(A), condemned: one(B), removed: none });
    await service.deletions.delete({ artifact: 'a', number: 1 }, '');
    pass(GRACE_MS - 1);
    expect(await collect()).toEqual({ versions: 0, deletedVersions: 1, kept: none, condemned: { blobs: 2, sizeBytes: A.length + B.length }, removed: none });
    pass(1);
    expect(await collect()).toMatchObject({ condemned: one(A), removed: one(B) });
    expect(await stored(service)).toEqual([sha256Of(A)]);
    pass(GRACE_MS);
    expect(await collect()).toMatchObject({ condemned: none, removed: one(A) });
    expect(await stored(service)).toEqual([]);
  });

  test('that only looks tells what would be done, and does nothing', async () => {
    for (const bytes of [A, B]) await service.write(bytes);
    expect(await collect(true)).toMatchObject({ condemned: { blobs: 2 }, removed: none });
    pass(2 * GRACE_MS);
    expect(await collect(true)).toMatchObject({ condemned: { blobs: 2 }, removed: none });
    await collect();
    pass(GRACE_MS);
    expect(await collect(true)).toMatchObject({ condemned: none, removed: { blobs: 2, sizeBytes: A.length + B.length } });
    expect(await stored(service)).toHaveLength(2);
    expect(await collect()).toMatchObject({ condemned: none, removed: { blobs: 2, sizeBytes: A.length + B.length } });
  });

  test('keeps a blob that another version has, of the same files or of others', async () => {
    for (const bytes of [A, B]) await service.write(bytes);
    await commit([A]);
    await commit([A], 'b');
    await commit([A, B], 'b');
    for (const name of [{ artifact: 'a', number: 1 }, { artifact: 'b', number: 2 }]) {
      await service.deletions.delete(name, '');
      await collect();
      pass(GRACE_MS);
      await collect();
    }
    expect(await stored(service)).toEqual([sha256Of(A)]);
    await world.check(service);
  });

  test.each<readonly [string, () => Promise<unknown>]>([
    ['asking whether it is missing', () => service.isMissing(A)],
    ['uploading it again', () => service.write(A)],
    ['committing it', () => commit([A])],
  ])('begins the grace anew for a condemned blob after %s', async (_, revive) => {
    await service.write(A);
    await collect();
    pass(GRACE_MS);
    await revive();
    expect(await collect()).toMatchObject({ removed: none });
    expect(await stored(service)).toEqual([sha256Of(A)]);
  });

  test('between asking and committing that takes longer than the grace makes the commit say what is missing', async () => {
    await service.write(A);
    const { blobs } = service.context;
    const sizes = blobs.sizes.bind(blobs);
    // The commit has seen the blob; then the collections come.
    jest.spyOn(blobs, 'sizes').mockImplementationOnce(async (digests) => {
      const seen = await sizes(digests);
      await collect();
      pass(GRACE_MS);
      expect(await collect()).toMatchObject({ removed: one(A) });
      return seen;
    });
    await expect(commit([A])).rejects.toMatchObject({ reason: 'BLOBS_MISSING' });
    await service.write(A);
    await commit([A]);
    await world.check(service);
  });

  test('is one at a time; the second is told to come again', async () => {
    const first = collect();
    await expect(collect()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { reason: 'TOO_MANY_CALLS' } });
    await first;
    await collect();
  });

  test('ends early when it is told to', async () => {
    await service.write(A);
    await expect(service.collector.run(false, AbortSignal.abort())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await collect();
  });

  test('removes more than one transaction does', async () => {
    for (let i = 0; i < 200; i++) await service.write(Buffer.from(`many ${i}`));
    expect(await collect()).toMatchObject({ condemned: { blobs: 200 } });
    pass(GRACE_MS);
    expect(await collect()).toMatchObject({ removed: { blobs: 200 } });
    expect(await stored(service)).toEqual([]);
  });
});
