/**
 * Commits together what is asked for at the same time: while one commit waits for the disk, the next ones gather, and share theirs.
 *
 * 1. `add` resolves when its work is durable.
 * 2. Works are given to a commit in the order in which they were added.
 * 3. A work that fails takes none of the others with it: what was to be committed with it is committed one by one. When it is the database that fails,
 *    all are refused at once: one by one they would wait for it as often as there are works.
 */
import { DatabaseError } from '@lockstep/storage';

export class GroupCommit<Work> {
  private waiting: Entry<Work>[] = [];
  private running = false;
  /** Whether the last commit was of several works. */
  private crowded = false;

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
      // A commit may hold up the whole process: what has arrived already is let in first. Where many write, what is about to arrive is too.
      await new Promise<void>((resolve) => (this.crowded ? setTimeout(resolve, GATHER_MS) : setImmediate(resolve)));
      const group = this.waiting.splice(0, MAX_GROUP);
      this.crowded = group.length > 1;
      try {
        await this.commit(group.map(({ work }) => work));
        for (const { resolve } of group) resolve();
      } catch (e) {
        if (group.length === 1 || e instanceof DatabaseError) for (const { reject } of group) reject(e);
        else for (const { work, resolve, reject } of group) await this.commit([work]).then(resolve, reject);
      }
    }
    this.running = false;
  }
}

/** How long works gather where many write: a commit costs as much as several works do. Whoever writes alone never waits. */
const GATHER_MS = 4;
/** Works that share a commit: more would let the first ones wait for the last. */
const MAX_GROUP = 256;

interface Entry<Work> {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
