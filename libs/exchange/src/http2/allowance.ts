import { Http2Error } from './http2-error';

/** Frames at once, and a second, that carry nothing: far above what keep-alives and bandwidth probes need. */
const BURST_FRAMES = 1000;
const FRAMES_PER_SECOND = 100;

/** Bounds frames that cost their sender nothing and us an answer or a turn: pings, settings, resets, empty frames. */
export class Allowance {
  private left = BURST_FRAMES;
  private atMs: number;

  /** @param now milliseconds of a clock that does not go back */
  constructor(private readonly now: () => number) {
    this.atMs = now();
  }

  /** @throws Http2Error ENHANCE_YOUR_CALM when there were too many */
  spend(what: string): void {
    const nowMs = this.now();
    this.left = Math.min(BURST_FRAMES, this.left + ((nowMs - this.atMs) * FRAMES_PER_SECOND) / 1000);
    this.atMs = nowMs;
    if (this.left < 1) throw new Http2Error('ENHANCE_YOUR_CALM', `too many frames without content, the last one ${what}: more than ${BURST_FRAMES} at once or ${FRAMES_PER_SECOND} a second`);
    this.left--;
  }
}
