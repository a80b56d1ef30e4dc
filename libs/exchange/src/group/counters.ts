/** Slots of the shared counters, followed by the wait in ms per rank. Written by the exchange thread alone. */
const FIELDS = ['sentBytes', 'receivedBytes', 'plannedSentBytes', 'plannedReceivedBytes', 'wireSentBytes', 'rounds'] as const;
type Field = (typeof FIELDS)[number];

/** What an exchange has moved since it was created. */
export interface ExchangeStats extends Readonly<Record<Field, number>> {
  /** Messages with their headers, as handed to the transport. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** What the rounds' plans say (@lockstep/reduction, plannedTraffic). */
  readonly plannedSentBytes: number;
  readonly plannedReceivedBytes: number;
  /** What the sockets wrote, framing and window updates included; brought up to date when an operation ends. */
  readonly wireSentBytes: number;
  /** All-reduce rounds that ended. */
  readonly rounds: number;
  /** By rank of the current generation: time between the own submission and the peer's last chunk, summed over rounds. */
  readonly waitMs: readonly number[];
}

/** Counters in shared memory, so that the compute thread reads them without asking. */
export class Counters {
  private readonly values: Float64Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.values = new Float64Array(memory);
  }

  static create(worldSize: number): Counters {
    return new Counters(new SharedArrayBuffer((FIELDS.length + worldSize) * Float64Array.BYTES_PER_ELEMENT));
  }

  add(field: Field, amount: number): void {
    const index = FIELDS.indexOf(field);
    this.values[index] = (this.values[index] ?? 0) + amount;
  }

  set(field: Field, value: number): void {
    this.values[FIELDS.indexOf(field)] = value;
  }

  addWait(rank: number, ms: number): void {
    this.values[FIELDS.length + rank] = (this.values[FIELDS.length + rank] ?? 0) + ms;
  }

  read(): ExchangeStats {
    const at = (field: Field): number => this.values[FIELDS.indexOf(field)] ?? 0;
    return {
      sentBytes: at('sentBytes'), receivedBytes: at('receivedBytes'),
      plannedSentBytes: at('plannedSentBytes'), plannedReceivedBytes: at('plannedReceivedBytes'),
      wireSentBytes: at('wireSentBytes'), rounds: at('rounds'),
      waitMs: Array.from(this.values.subarray(FIELDS.length)),
    };
  }
}

/** Sums over generations; the waits are those of the last one. */
export const addStats = (before: ExchangeStats, now: ExchangeStats): ExchangeStats => ({
  sentBytes: before.sentBytes + now.sentBytes,
  receivedBytes: before.receivedBytes + now.receivedBytes,
  plannedSentBytes: before.plannedSentBytes + now.plannedSentBytes,
  plannedReceivedBytes: before.plannedReceivedBytes + now.plannedReceivedBytes,
  wireSentBytes: before.wireSentBytes + now.wireSentBytes,
  rounds: before.rounds + now.rounds,
  waitMs: now.waitMs,
});
