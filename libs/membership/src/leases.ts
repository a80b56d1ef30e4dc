/** Who has been heard of, and when a silence becomes a loss. The clock is an argument. */
export class LeaseTable {
  private readonly lastHeardMs = new Map<string, number>();
  private lookedMs: number | undefined;

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

  /**
   * Holders that have been silent for longer than the lease, with the length of the silence. To be asked several times a
   * lease: who was paused between two questions has heard nobody, and what was said meanwhile is still to be read. Nor is
   * anybody silent for longer, or more lately heard of, because the clock was set.
   */
  expired(nowMs: number): readonly { readonly holder: string; readonly silentMs: number }[] {
    const deafMs = nowMs - (this.lookedMs ?? nowMs);
    this.lookedMs = nowMs;
    if (deafMs < 0 || deafMs > this.leaseMs / 2) for (const [holder, heardMs] of this.lastHeardMs) this.lastHeardMs.set(holder, Math.min(nowMs, heardMs + deafMs));
    return [...this.lastHeardMs]
      .map(([holder, heardMs]) => ({ holder, silentMs: nowMs - heardMs }))
      .filter(({ silentMs }) => silentMs > this.leaseMs);
  }
}
