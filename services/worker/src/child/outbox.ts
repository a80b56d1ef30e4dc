/** What a member has said and the coordinator may not have stored, as messages of its session: the rules are MemberOutbox's. */
import { create } from '@bufbuild/protobuf';
import { MemberMessageSchema, MemberProgressSchema, ProgressEntrySchema, StepsCommittedSchema, type MemberMessage, type ProgressEntry, type StepsCommitted } from '@lockstep/contract';
import { addLedgers, fromProgressPoint } from '@lockstep/client';
import { MemberOutbox, type ProgressPoint, type Saying } from '@lockstep/membership';

/** Entries that are kept one by one. */
const MAX_ENTRIES = 50_000;
/** Entries of one message. */
const ENTRIES_A_MESSAGE = 1000;

export class Outbox {
  private readonly rules = new MemberOutbox<MemberMessage, ProgressEntry>({ pointOf: ({ point }) => fromProgressPoint(point), merge: mergeEntries, maxEntries: MAX_ENTRIES });
  private generation = 0n;

  /** Keeps a message. @returns what to send now */
  add(message: MemberMessage): readonly MemberMessage[] {
    const { message: content } = message;
    switch (content.case) {
      case 'hello':
      case 'heartbeat':
      case undefined:
        return [message];
      case 'progress':
        return this.messages(this.rules.add(content.value.entries));
      case 'ready':
      case 'suspended':
      case 'prepared':
      case 'finished':
      case 'modelCommitted':
      case 'failed':
      case 'checkpoint':
        return this.messages(this.rules.state(content.case, message));
    }
  }

  /** This member is in a new generation. @returns what to send now */
  assigned(generation: bigint, rank: number, committed: ProgressPoint | undefined): readonly MemberMessage[] {
    this.generation = generation;
    return this.messages(this.rules.assigned(rank, committed));
  }

  /** What was reported up to a point is stored. */
  commit(point: ProgressPoint): void {
    this.rules.commit(point);
  }

  /** Everything to be said in a new session, after its hello. */
  again(): readonly MemberMessage[] {
    return this.messages(this.rules.again());
  }

  private messages(sayings: readonly Saying<MemberMessage, ProgressEntry>[]): readonly MemberMessage[] {
    return sayings.flatMap((saying) => (saying.kind === 'STATEMENT' ? [saying.statement] : this.progress(saying.entries)));
  }

  private progress(entries: readonly ProgressEntry[]): readonly MemberMessage[] {
    const messages: MemberMessage[] = [];
    for (let from = 0; from < entries.length; from += ENTRIES_A_MESSAGE) {
      const value = create(MemberProgressSchema, { entries: entries.slice(from, from + ENTRIES_A_MESSAGE) });
      messages.push(create(MemberMessageSchema, { generation: this.generation, message: { case: 'progress', value } }));
    }
    return messages;
  }
}

/** Steps are added up, over the ends of their epochs too, whose logs are lost then; calls are told one by one. */
function mergeEntries({ entry: older }: ProgressEntry, { point, entry: newer }: ProgressEntry): ProgressEntry | undefined {
  if ((older.case !== 'step' && older.case !== 'epochEnded') || (newer.case !== 'step' && newer.case !== 'epochEnded')) return undefined;
  const entry = older.case !== 'step' ? newer : newer.case !== 'step' ? older : { case: 'step', value: addSteps(older.value, newer.value) } as const;
  return create(ProgressEntrySchema, { ...(point && { point }), entry });
}

/** Both, with the position and metrics of the newer. */
const addSteps = (older: StepsCommitted, newer: StepsCommitted): StepsCommitted =>
  create(StepsCommittedSchema, { ...newer, steps: older.steps + newer.steps, rows: older.rows + newer.rows, ledger: addLedgers(older.ledger, newer.ledger) });
