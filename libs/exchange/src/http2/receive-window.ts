import { Http2Error } from './http2-error';

/** What a sender may still send us, and what it may send again (RFC 9113, section 5.2). */
export class ReceiveWindow {
  private leftBytes: number;
  private taken = 0;

  constructor(
    private readonly sizeBytes: number,
    private readonly whose: string,
  ) {
    this.leftBytes = sizeBytes;
  }

  /** @throws Http2Error FLOW_CONTROL_ERROR when the sender was not allowed to */
  receive(bytes: number): void {
    this.leftBytes -= bytes;
    if (this.leftBytes < 0) throw new Http2Error('FLOW_CONTROL_ERROR', `${-this.leftBytes} bytes more than the window of ${this.whose} had left`);
    this.taken += bytes;
  }

  /** What to give back now: nothing before half of the window is used up, so that updates stay rare. */
  giveBack(): number {
    if (this.taken * 2 < this.sizeBytes) return 0;
    const { taken } = this;
    this.taken = 0;
    this.leftBytes += taken;
    return taken;
  }
}
