/**
 * What a member has said and the coordinator may not have stored: said again in every new session.
 *
 * 1. Progress is kept by all members and told by the chief. Who becomes chief tells what is not committed.
 * 2. Who has finished, or has written a checkpoint, tells what is not committed, chief or not, before it says so: neither
 *    the end of a job nor where it would go on from overtakes its progress, whoever dies.
 * 3. Bounded: while the coordinator is away for long, the oldest entries are told as one where they can be.
 */
import { isAfter, type ProgressPoint } from './progress-point';

/** What a member says about itself: the newest of each kind counts. */
export type StatementKind = 'ready' | 'suspended' | 'prepared' | 'finished' | 'modelCommitted' | 'failed' | 'checkpoint';

/** Over when the next generation is there: said about one generation, or about the way into the first one. */
const OVER_WITH_ASSIGNMENT: readonly StatementKind[] = ['ready', 'suspended', 'prepared'];

/** What must not be known before the progress that leads to it. */
const AFTER_PROGRESS: readonly StatementKind[] = ['finished', 'checkpoint'];

/** What is to be sent now, in this order. */
export type Saying<Statement, Entry> =
  | { readonly kind: 'STATEMENT'; readonly statement: Statement }
  | { readonly kind: 'PROGRESS'; readonly entries: readonly Entry[] };

export interface OutboxRules<Entry> {
  /** @returns undefined for an entry that names no point: it is never committed, and told once */
  pointOf(entry: Entry): ProgressPoint | undefined;
  /** Both as one; undefined where they must be told apart. */
  merge(older: Entry, newer: Entry): Entry | undefined;
  /** Entries that are kept one by one. */
  readonly maxEntries: number;
}

export class MemberOutbox<Statement, Entry> {
  private readonly statements = new Map<StatementKind, Statement>();
  private entries: Entry[] = [];
  private committed: ProgressPoint | undefined;
  private chief = false;

  constructor(private readonly rules: OutboxRules<Entry>) {}

  /** Keeps a statement. @returns what to send now */
  state(kind: StatementKind, statement: Statement): readonly Saying<Statement, Entry>[] {
    this.statements.set(kind, statement);
    return [...(AFTER_PROGRESS.includes(kind) ? this.progress(this.entries) : []), { kind: 'STATEMENT', statement }];
  }

  /** Keeps progress. @returns what to send now */
  add(entries: readonly Entry[]): readonly Saying<Statement, Entry>[] {
    this.entries.push(...entries.filter((entry) => this.isOpen(entry)));
    this.bound();
    return this.chief ? this.progress(entries) : [];
  }

  /** This member is in a new generation. @returns what to send now */
  assigned(rank: number, committed: ProgressPoint | undefined): readonly Saying<Statement, Entry>[] {
    this.chief = rank === 0;
    for (const kind of OVER_WITH_ASSIGNMENT) this.statements.delete(kind);
    if (committed) this.commit(committed);
    return this.chief ? this.progress(this.entries) : [];
  }

  /** What was reported up to a point is stored. */
  commit(point: ProgressPoint): void {
    if (!isAfter(point, this.committed)) return;
    this.committed = point;
    this.entries = this.entries.filter((entry) => this.isOpen(entry));
  }

  /** What is not committed as far as this member knows: who is handed its state is handed this too, or nobody may be left to tell it. */
  get open(): readonly Entry[] {
    return this.entries;
  }

  /** Everything to be said in a new session, after its hello. */
  again(): readonly Saying<Statement, Entry>[] {
    const tells = this.chief || AFTER_PROGRESS.some((kind) => this.statements.has(kind));
    return [...(tells ? this.progress(this.entries) : []), ...[...this.statements.values()].map((statement) => ({ kind: 'STATEMENT', statement }) as const)];
  }

  private isOpen(entry: Entry): boolean {
    const point = this.rules.pointOf(entry);
    return point !== undefined && isAfter(point, this.committed);
  }

  private progress(entries: readonly Entry[]): readonly Saying<Statement, Entry>[] {
    return entries.length === 0 ? [] : [{ kind: 'PROGRESS', entries }];
  }

  /** Adds up neighbours of the older half. */
  private bound(): void {
    const { rules } = this;
    const { maxEntries } = rules;
    if (this.entries.length <= maxEntries) return;
    const half = Math.floor(maxEntries / 2);
    const merged: Entry[] = [];
    for (const entry of this.entries.slice(0, half)) {
      const last = merged.at(-1);
      const both = last === undefined ? undefined : rules.merge(last, entry);
      if (both === undefined) merged.push(entry);
      else merged[merged.length - 1] = both;
    }
    this.entries = [...merged, ...this.entries.slice(half)];
  }
}
