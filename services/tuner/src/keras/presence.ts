/**
 * Which KerasTuner workers live. A stock worker says nothing while it trains: that its connection stands is its heart beat.
 *
 * 1. A connection is known by the worker's calls on it; it ends when the worker's process does, or its machine stops to answer.
 * 2. gRPC itself lets go of a connection that was unused for half an hour: then nothing is known, and the worker has a day.
 * 3. After a restart of the tuner no worker is connected: each comes back with its next call, and has an hour for it.
 */
export type Worker = `${string} ${string}`;

/** gRPC's clients close a connection that was not used for 30 minutes; a little earlier counts too. */
const IDLE_CLOSE_MS = 29 * 60_000;
const IDLE_ABSENCE_MS = 24 * 3600_000;
const RETURN_MS = 3600_000;

interface Connection {
  readonly workers: Set<Worker>;
  lastCallMs: number;
}

export class Presence {
  private readonly connections = new Map<string, Connection>();
  /** Until when a worker without a connection is taken to live. */
  private readonly absent = new Map<Worker, number>();

  constructor(private readonly nowMs: () => number) {}

  /** A connection begins. @param peer its address, as its calls show it */
  opened(peer: string): void {
    this.connections.set(peer, { workers: new Set(), lastCallMs: this.nowMs() });
  }

  closed(peer: string): void {
    const connection = this.connections.get(peer);
    this.connections.delete(peer);
    const nowMs = this.nowMs();
    if (!connection || nowMs - connection.lastCallMs < IDLE_CLOSE_MS) return;
    for (const worker of connection.workers) if (!this.isConnected(worker)) this.absent.set(worker, nowMs + IDLE_ABSENCE_MS);
  }

  /** A call came on a connection. */
  called(peer: string): void {
    const connection = this.connections.get(peer);
    if (connection) connection.lastCallMs = this.nowMs();
  }

  /** A worker said, on a connection, who it is. */
  introduced(peer: string, worker: Worker): void {
    this.connections.get(peer)?.workers.add(worker);
    this.absent.delete(worker);
  }

  /** A worker that had a trial before this process began. */
  expected(worker: Worker): void {
    if (!this.isConnected(worker)) this.absent.set(worker, this.nowMs() + RETURN_MS);
  }

  /** Who called on a connection. */
  workersOn(peer: string): ReadonlySet<Worker> {
    return this.connections.get(peer)?.workers ?? new Set();
  }

  isConnected(worker: Worker): boolean {
    for (const { workers } of this.connections.values()) if (workers.has(worker)) return true;
    return false;
  }

  /** Everyone who is taken to live. */
  living(): ReadonlySet<Worker> {
    const nowMs = this.nowMs();
    const living = new Set<Worker>();
    for (const { workers } of this.connections.values()) for (const worker of workers) living.add(worker);
    for (const [worker, untilMs] of this.absent) {
      if (untilMs > nowMs) living.add(worker);
      else this.absent.delete(worker);
    }
    return living;
  }
}
