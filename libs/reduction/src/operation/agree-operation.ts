import type { CallClaim } from '../collective';
import type { Position } from '../position';
import { formatRanks } from './format-ranks';
import { fault, type Operation, type Placement, type WaitDescription } from './operation';
import { NODE_CLAIM, type PieceHeader } from './piece-header';

/** Length of a claim's digest: SHA-256. */
export const CLAIM_DIGEST_BYTES = 32;
/** Longest label of a claim that travels; the rest is cut off. */
const MAX_LABEL_BYTES = 4096;

/** Two members whose claims differ. */
export interface Disagreement {
  readonly ranks: readonly [number, number];
  readonly labels: readonly [string, string];
}

/** The members say which collective call they are in. */
export class AgreeOperation implements Operation {
  private readonly claims = new Map<number, CallClaim>();
  private begun = false;

  constructor(
    readonly number: number,
    readonly position: Position,
    private readonly rank: number,
    private readonly worldSize: number,
    claim: CallClaim,
    /** Called once, when all claims are there and begin() was called. */
    private readonly onFinished: () => void,
  ) {
    this.claims.set(rank, claim);
  }

  /** Claims that came before are in: from here on the end is announced. */
  begin(): void {
    this.begun = true;
    this.announce();
  }

  private announce(): void {
    if (this.begun && this.claims.size === this.worldSize) this.onFinished();
  }

  place(from: number, header: PieceHeader, payloadBytes: number): Placement {
    if (header.node !== NODE_CLAIM) return fault('sends a bucket while this member compares collective calls');
    if (this.claims.has(from)) return fault('makes two claims about one collective call');
    if (payloadBytes < CLAIM_DIGEST_BYTES || payloadBytes > CLAIM_DIGEST_BYTES + MAX_LABEL_BYTES) return fault(`makes a claim of ${payloadBytes} bytes`);
    const target = Buffer.alloc(payloadBytes);
    return {
      kind: 'EXPECTED', target,
      filled: () => {
        this.claims.set(from, decodeClaim(target));
        this.announce();
      },
    };
  }

  owes(rank: number): boolean {
    return !this.claims.has(rank);
  }

  /** Once finished: the lowest rank that differs from rank 0, the same on all members. */
  disagreement(): Disagreement | undefined {
    const first = this.claims.get(0);
    for (let rank = 1; first && rank < this.worldSize; rank++) {
      const other = this.claims.get(rank);
      if (other && Buffer.compare(first.digest, other.digest) !== 0) return { ranks: [0, rank], labels: [first.label, other.label] };
    }
    return undefined;
  }

  describeWait(): WaitDescription {
    const ranks = Array.from({ length: this.worldSize }, (_, rank) => rank).filter((rank) => rank !== this.rank && this.owes(rank));
    return { what: `no claim about the collective call from ${formatRanks(ranks)}`, ranks };
  }
}

/** A claim as a chunk's payload: digest, then label. */
export const encodeClaim = (claim: CallClaim): Uint8Array =>
  Buffer.concat([claim.digest, Buffer.from(claim.label, 'utf8').subarray(0, MAX_LABEL_BYTES)]);

const decodeClaim = (payload: Uint8Array): CallClaim => ({
  digest: Buffer.from(payload.subarray(0, CLAIM_DIGEST_BYTES)),
  label: Buffer.from(payload.subarray(CLAIM_DIGEST_BYTES)).toString('utf8'),
});
