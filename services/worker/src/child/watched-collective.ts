import type { CallClaim, Collective, Position, Range, Round } from '@lockstep/reduction';
import type { LinkCells } from './link-cells';

/** A generation's collective that shows in the cells when the compute thread waits for the others: so they can be told who is slow. */
export class WatchedCollective implements Collective {
  constructor(private readonly inner: Collective, private readonly cells: LinkCells) {}

  get replicas(): number { return this.inner.replicas; }
  get rank(): number { return this.inner.rank; }
  get worldSize(): number { return this.inner.worldSize; }
  get range(): Range { return this.inner.range; }
  get roots(): readonly Range[] { return this.inner.roots; }

  boundary(): void {
    this.inner.boundary();
  }

  agree(position: Position, claim: CallClaim): void {
    this.cells.whileWaiting(() => this.inner.agree(position, claim));
  }

  begin(round: Round): void {
    this.inner.begin(round);
  }

  input(bucket: number, root: number): Float32Array {
    return this.inner.input(bucket, root);
  }

  submit(bucket: number): void {
    this.inner.submit(bucket);
  }

  wait(bucket: number): Float32Array {
    return this.cells.whileWaiting(() => this.inner.wait(bucket));
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
