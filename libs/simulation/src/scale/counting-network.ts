import { Network } from '../world/network';

/** Counts what a host sends and receives. */
export class CountingNetwork extends Network {
  private sent = 0;
  private received = 0;
  private counted = '';

  count(host: string): void {
    this.counted = host;
  }

  get counts(): { readonly sent: number; readonly received: number } {
    const { sent, received } = this;
    return { sent, received };
  }

  override carry(from: string, to: string, action: () => void): void {
    if (from === this.counted) this.sent++;
    if (to === this.counted) this.received++;
    super.carry(from, to, action);
  }
}
