import { CollectiveError, type CallClaim, type Collective, type Round } from './collective';
import { formatPosition, type Position } from './position';
import { rangeLength, type Range } from './range';

/** The collective of a job with one worker: the whole tree is its one root, so an all-reduce is the identity. */
export class LocalCollective implements Collective {
  readonly rank = 0;
  readonly worldSize = 1;
  readonly range: Range;
  readonly roots: readonly Range[];
  private buckets: Float32Array[] = [];
  private round: Round | undefined;

  constructor(readonly replicas: number) {
    this.range = { from: 0, to: replicas };
    this.roots = [this.range];
    if (rangeLength(this.range) < 1) throw new RangeError('a job has at least one logical replica');
  }

  boundary(): void {}

  agree(_position: Position, _claim: CallClaim): void {}

  begin(round: Round): void {
    this.round = round;
    // Buffers are kept while the layout stays the same: the lengths of a training step never change.
    if (this.buckets.length !== round.bucketLengths.length || this.buckets.some((b, i) => b.length !== round.bucketLengths[i])) {
      this.buckets = round.bucketLengths.map((length) => new Float32Array(length));
    }
  }

  input(bucket: number, root: number): Float32Array {
    if (root !== 0) throw new RangeError(`a single member has one root, not ${root + 1}`);
    return this.bucket(bucket);
  }

  submit(bucket: number): void {
    this.bucket(bucket);
  }

  wait(bucket: number): Float32Array {
    return this.bucket(bucket);
  }

  close(): Promise<void> {
    this.round = undefined;
    this.buckets = [];
    return Promise.resolve();
  }

  private bucket(index: number): Float32Array {
    const found = this.buckets[index];
    if (!this.round || !found) {
      const where = this.round ? formatPosition(this.round.position) : 'no open round';
      throw new CollectiveError('PROTOCOL', `bucket ${index} does not exist at ${where}`, { bucket: index });
    }
    return found;
  }
}
