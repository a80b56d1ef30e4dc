/**
 * What a member has said and the coordinator may not have stored: said again in every new session.
 *
 * 1. Progress is kept by all members and told by the chief. Who becomes chief tells what is not committed.
 * 2. Bounded: while the coordinator is away for long, the oldest steps are told as one.
 */
import { create } from '@bufbuild/protobuf';
import { MemberMessageSchema, MemberProgressSchema, ProgressEntrySchema, StepsCommittedSchema, type MemberMessage, type ProgressEntry, type StepsCommitted } from '@lockstep/contract';
import { fromProgressPoint } from '@lockstep/client';
import { isAfter, type ProgressPoint } from '@lockstep/membership';

/** Entries that are kept one by one. */
const MAX_ENTRIES = 50_000;
/** Entries of one message. */
const ENTRIES_A_MESSAGE = 1000;

/** What a member says about itself, once: the newest of each kind counts. */
type Statement = Exclude<MemberMessage['message']['case'], 'hello' | 'heartbeat' | 'progress' | undefined>;

/** Said about one generation: over when the next one is there. */
const OF_A_GENERATION: readonly Statement[] = ['ready', 'suspended'];

export class Outbox {
  private readonly statements = new Map<Statement, MemberMessage>();
  private entries: ProgressEntry[] = [];
  private committed: ProgressPoint | undefined;
  private generation = 0n;
  private chief = false;

  /** Keeps a message. @returns what to send now */
  add(message: MemberMessage): readonly MemberMessage[] {
    const { message: content } = message;
    switch (content.case) {
      case 'hello':
      case 'heartbeat':
      case undefined:
        return [message];
      case 'progress':
        this.entries.push(...content.value.entries);
        this.bound();
        return this.chief ? this.progress(content.value.entries) : [];
      case 'ready':
      case 'suspended':
      case 'prepared':
      case 'finished':
      case 'modelCommitted':
      case 'failed':
      case 'checkpoint':
        this.statements.set(content.case, message);
        return [message];
    }
  }

  /** This member is in a new generation. @returns what to send now */
  assigned(generation: bigint, rank: number, committed: ProgressPoint | undefined): readonly MemberMessage[] {
    this.generation = generation;
    this.chief = rank === 0;
    for (const kind of OF_A_GENERATION) this.statements.delete(kind);
    if (committed) this.commit(committed);
    return this.chief ? this.progress(this.entries) : [];
  }

  /** What was reported up to a point is stored. */
  commit(point: ProgressPoint): void {
    this.committed = point;
    this.entries = this.entries.filter((entry) => this.isOpen(entry));
  }

  /** Everything to be said in a new session, after its hello. */
  again(): readonly MemberMessage[] {
    return [...this.statements.values(), ...(this.chief ? this.progress(this.entries) : [])];
  }

  private isOpen(entry: ProgressEntry): boolean {
    const point = fromProgressPoint(entry.point);
    return point !== undefined && isAfter(point, this.committed);
  }

  private progress(entries: readonly ProgressEntry[]): readonly MemberMessage[] {
    const messages: MemberMessage[] = [];
    for (let from = 0; from < entries.length; from += ENTRIES_A_MESSAGE) {
      const value = create(MemberProgressSchema, { entries: entries.slice(from, from + ENTRIES_A_MESSAGE) });
      messages.push(create(MemberMessageSchema, { generation: this.generation, message: { case: 'progress', value } }));
    }
    return messages;
  }

  /** Adds up neighbouring steps of the older half. */
  private bound(): void {
    if (this.entries.length <= MAX_ENTRIES) return;
    const half = MAX_ENTRIES / 2;
    const merged: ProgressEntry[] = [];
    for (const entry of this.entries.slice(0, half)) {
      const last = merged.at(-1);
      if (last?.entry.case === 'step' && entry.entry.case === 'step') merged[merged.length - 1] = create(ProgressEntrySchema, { ...(entry.point && { point: entry.point }), entry: { case: 'step', value: addSteps(last.entry.value, entry.entry.value) } });
      else merged.push(entry);
    }
    this.entries = [...merged, ...this.entries.slice(half)];
  }
}

/** Both, with the position and metrics of the newer. */
export const addSteps = (older: StepsCommitted, newer: StepsCommitted): StepsCommitted =>
  create(StepsCommittedSchema, { ...newer, steps: older.steps + newer.steps, rows: older.rows + newer.rows });
