/**
 * One end of the stream between two members. A payload is read when it leaves, which is later than it was given to send(): as
 * libs/exchange's transports do it, so that whoever overwrites it too early is found.
 */
import type { OutgoingPiece, Position } from '@lockstep/reduction';
import type { End } from '../world/connection';
import type { SimProcess } from '../world/sim-process';
import type { PeerMessage, Piece } from './peer-message';

/** How long what was given to send() lies in the queue. */
const QUEUE_MS = 0.2;

interface Queued {
  readonly piece: OutgoingPiece;
  readonly operation: number;
  readonly position: Position;
}

export class PeerStream {
  /** Of the next operation. */
  early: Piece[] = [];
  /** Why nothing more comes; undefined while it may. */
  lost: string | undefined;
  private end: End<PeerMessage, PeerMessage> | undefined;
  private queue: Queued[] = [];

  constructor(private readonly process: SimProcess) {}

  get connected(): boolean {
    return this.end !== undefined;
  }

  connect(end: End<PeerMessage, PeerMessage>): void {
    this.end = end;
  }

  send(piece: OutgoingPiece, operation: number, position: Position): void {
    this.queue.push({ piece, operation, position });
    if (this.queue.length === 1) this.process.after(QUEUE_MS, () => this.flush());
  }

  /** Ends the connection after what was sent. */
  close(why: string): void {
    this.flush();
    this.end?.close(why);
  }

  private flush(): void {
    const { queue } = this;
    this.queue = [];
    if (queue.length === 0) return;
    this.end?.send({
      kind: 'PIECES',
      pieces: queue.map(({ piece: { bucket, bucketBytes, offset, node, payload }, operation, position }) => ({ bucket, bucketBytes, offset, node, operation, position, payload: payload.slice() })),
    });
    for (const { piece } of queue) piece.onSent?.();
  }
}
