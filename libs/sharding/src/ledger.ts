/**
 * Who read which record, checked as it is written: the proof that a pass visits every record exactly once.
 *
 * 1. An entry is idempotent: the same position and replica again, with the same records, changes nothing.
 * 2. Another entry for the same position and replica is a conflict, whoever reads.
 * 3. No record is read twice in a pass, by anyone.
 * 4. Memory is bounded: one bit a record of each unfinished pass, and a digest for each entry of the last
 *    `windowPositions` positions. An entry that is repeated after it left the window counts as read twice.
 */
import { createHash } from 'node:crypto';
import { ShardingError } from './sharding-error';
import type { Visit } from './visit-tally';

/** What one replica read at one position. */
export interface LedgerEntry {
  /** The position as text: equal positions, equal texts. */
  readonly position: string;
  readonly replica: number;
  /** Who read: a worker. A redo by another one is the same entry. */
  readonly reader: string;
  readonly visits: readonly Visit[];
}

export interface LedgerOptions {
  /** Records of the split. */
  readonly recordCount: number;
  /** Positions whose entries may be repeated. */
  readonly windowPositions: number;
}

/** How far each pass got, and who read how much. */
export interface LedgerReport {
  /** Passes of which every record was read. */
  readonly completePasses: number;
  /** Passes under way, with the number of their records that were read. */
  readonly partialPasses: readonly { readonly pass: number; readonly records: number }[];
  /** Rows by reader; entries that repeat another count for the first reader alone. */
  readonly rowsByReader: Readonly<Record<string, number>>;
}

interface PassProgress {
  readonly seen: Uint8Array;
  records: number;
}

export class Ledger {
  private readonly window = new Map<string, Map<number, string>>();
  private readonly passes = new Map<number, PassProgress>();
  /** Complete passes: all below `completeBelow`, and these. */
  private readonly completeBeyond = new Set<number>();
  private completeBelow = 0;
  private completePasses = 0;
  private readonly rowsByReader = new Map<string, number>();

  constructor(private readonly options: LedgerOptions) {
    const { recordCount, windowPositions } = options;
    if (!Number.isSafeInteger(recordCount) || recordCount < 1) throw new ShardingError('BAD_ARGUMENT', `a ledger of ${recordCount} records proves nothing`);
    if (!Number.isSafeInteger(windowPositions) || windowPositions < 1) throw new ShardingError('BAD_ARGUMENT', `a ledger's window must hold at least one position, not ${windowPositions}`);
  }

  /**
   * Writes an entry; all of it or, when it throws, nothing.
   *
   * @returns false for an entry that was there already
   * @throws ShardingError LEDGER_CONFLICT, READ_TWICE, BAD_ARGUMENT
   */
  record(entry: LedgerEntry): boolean {
    const { position, replica, reader, visits } = entry;
    const digest = digestOf(visits);
    const known = this.window.get(position)?.get(replica);
    if (known === digest) return false;
    if (known !== undefined) {
      throw new ShardingError('LEDGER_CONFLICT', `replica ${replica} read other records at ${position} than before: ${reader} does not read by the plan`);
    }
    this.mark(entry);
    const replicas = this.window.get(position) ?? new Map<number, string>();
    replicas.set(replica, digest);
    this.window.set(position, replicas);
    for (const oldest of this.window.keys()) {
      if (this.window.size <= this.options.windowPositions) break;
      this.window.delete(oldest);
    }
    this.rowsByReader.set(reader, (this.rowsByReader.get(reader) ?? 0) + visits.length);
    return true;
  }

  /** What the entries so far amount to. */
  check(): LedgerReport {
    return {
      completePasses: this.completePasses,
      partialPasses: [...this.passes].map(([pass, { records }]) => ({ pass, records })).sort((a, b) => a.pass - b.pass),
      rowsByReader: Object.fromEntries([...this.rowsByReader].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  /** Sets the bits of an entry; takes them back when one is set already. */
  private mark({ position, replica, reader, visits }: LedgerEntry): void {
    const marked: Visit[] = [];
    try {
      for (const visit of visits) {
        this.markOne(visit, `${reader} (replica ${replica} at ${position})`);
        marked.push(visit);
      }
    } catch (e) {
      for (const { pass, record } of marked) {
        const progress = this.passes.get(pass);
        if (!progress) continue;
        progress.seen[record >> 3] = (progress.seen[record >> 3] ?? 0) & ~(1 << (record & 7));
        progress.records--;
        if (progress.records === 0) this.passes.delete(pass);
      }
      throw e;
    }
    for (const pass of new Set(visits.map((visit) => visit.pass))) this.completeIfFull(pass);
  }

  private markOne({ pass, record }: Visit, who: string): void {
    const { recordCount } = this.options;
    if (!Number.isSafeInteger(record) || record < 0 || record >= recordCount) {
      throw new ShardingError('BAD_ARGUMENT', `${who} read record ${record} of a split of ${recordCount}`);
    }
    const twice = new ShardingError('READ_TWICE', `${who} read record ${record} a second time in pass ${pass}`);
    if (pass < this.completeBelow || this.completeBeyond.has(pass)) throw twice;
    const progress = this.passes.get(pass) ?? { seen: new Uint8Array(Math.ceil(recordCount / 8)), records: 0 };
    const byte = progress.seen[record >> 3] ?? 0;
    const bit = 1 << (record & 7);
    if ((byte & bit) !== 0) throw twice;
    this.passes.set(pass, progress);
    progress.seen[record >> 3] = byte | bit;
    progress.records++;
  }

  private completeIfFull(pass: number): void {
    if (this.passes.get(pass)?.records !== this.options.recordCount) return;
    this.passes.delete(pass);
    this.completePasses++;
    this.completeBeyond.add(pass);
    while (this.completeBeyond.delete(this.completeBelow)) this.completeBelow++;
  }
}

function digestOf(visits: readonly Visit[]): string {
  const hash = createHash('sha256');
  for (const { pass, record } of visits) hash.update(`${pass}:${record},`);
  return hash.digest('base64');
}
