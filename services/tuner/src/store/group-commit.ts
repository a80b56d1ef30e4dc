/**
 * Commits together what is asked for at the same time: while one commit waits for the disk, the next ones gather, and share theirs.
 *
 * 1. `add` resolves when its work is durable.
 * 2. Works are given to a commit in the order in which they were added.
 * 3. A work that fails takes none of the others with it: what was to be committed with it is committed one by one.
 */
export class GroupCommit<Work> {
  private waiting: Entry<Work>[] = [];
  private running = false;

  /** @param commit makes all works durable, or none */
  constructor(private readonly commit: (works: readonly Work[]) => Promise<void>) {}

  add(work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ work, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      // A commit may hold up the whole process: what has arrived already is let in first.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const group = this.waiting.splice(0, MAX_GROUP);
      try {
        await this.commit(group.map(({ work }) => work));
        for (const { resolve } of group) resolve();
      } catch (e) {
        if (group.length === 1) group[0]?.reject(e);
        else for (const { work, resolve, reject } of group) await this.commit([work]).then(resolve, reject);
      }
    }
    this.running = false;
  }
}

/** Works that share a commit: more would let the first ones wait for the last. */
const MAX_GROUP = 256;

interface Entry<Work> {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
