import { LeaseTable } from '@lockstep/membership';

interface Session {
  readonly worker: string;
  readonly expire: (silentMs: number) => void;
}

/** The open sessions of a coordinator, and how long each has been silent. */
export class SessionLeases {
  private readonly leases: LeaseTable;
  private readonly sessions = new Map<string, Session>();
  private opened = 0;

  constructor(leaseMs: number, private readonly nowMs: () => number) {
    this.leases = new LeaseTable(leaseMs);
  }

  /** @returns the key of a session that is heard of now */
  open(worker: string, expire: (silentMs: number) => void): string {
    const key = `session-${++this.opened}`;
    this.leases.heard(key, this.nowMs());
    this.sessions.set(key, { worker, expire });
    return key;
  }

  heard(key: string): void {
    if (this.sessions.has(key)) this.leases.heard(key, this.nowMs());
  }

  close(key: string): void {
    this.leases.forget(key);
    this.sessions.delete(key);
  }

  /** Ends the sessions that have been silent for longer than the lease. */
  expire(): void {
    for (const { holder, silentMs } of this.leases.expired(this.nowMs())) {
      this.leases.forget(holder);
      this.sessions.get(holder)?.expire(silentMs);
    }
  }

  /** How long each worker with a session has been silent, by the most recent word of its sessions. */
  silence(): Map<string, number> {
    const silent = new Map<string, number>();
    for (const [key, { worker }] of this.sessions) {
      const ms = this.leases.silentMs(key, this.nowMs());
      if (ms !== undefined) silent.set(worker, Math.min(ms, silent.get(worker) ?? Infinity));
    }
    return silent;
  }
}
