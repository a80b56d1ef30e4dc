/** Who has been heard of, and when a silence becomes a loss. The clock is an argument. */
export class LeaseTable {
  private readonly lastHeardMs = new Map<string, number>();

  constructor(readonly leaseMs: number) {}

  heard(holder: string, nowMs: number): void {
    this.lastHeardMs.set(holder, nowMs);
  }

  forget(holder: string): void {
    this.lastHeardMs.delete(holder);
  }

  /** How long a holder has been silent; undefined for one that has no lease. */
  silentMs(holder: string, nowMs: number): number | undefined {
    const heardMs = this.lastHeardMs.get(holder);
    return heardMs === undefined ? undefined : nowMs - heardMs;
  }

  /** Holders that have been silent for longer than the lease, with the length of the silence. */
  expired(nowMs: number): readonly { readonly holder: string; readonly silentMs: number }[] {
    return [...this.lastHeardMs]
      .map(([holder, heardMs]) => ({ holder, silentMs: nowMs - heardMs }))
      .filter(({ silentMs }) => silentMs > this.leaseMs);
  }
}
