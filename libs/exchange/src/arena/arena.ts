import { CollectiveError, totalBytes, type AreaSizes } from '@lockstep/reduction';

const PAGE_BYTES = 65_536;

/** Most that a WebAssembly memory can hold: 4 GiB. */
export const MAX_ARENA_BYTES = 65_536 * PAGE_BYTES;

/** Shared memory of one generation. Grows, never shrinks; goes when both threads have dropped it. */
export class Arena {
  private constructor(
    readonly memory: WebAssembly.Memory,
    private readonly limitBytes: number,
  ) {}

  /** @param limitBytes largest size; only what is touched costs memory */
  static create(limitBytes: number): Arena {
    const maximum = Math.floor(Math.min(limitBytes, MAX_ARENA_BYTES) / PAGE_BYTES);
    return new Arena(new WebAssembly.Memory({ initial: 1, maximum, shared: true }), maximum * PAGE_BYTES);
  }

  /**
   * Makes room. Views made before stay valid for the bytes that they cover.
   *
   * @throws CollectiveError TOO_LARGE with the need and the limit
   */
  reserve(areas: AreaSizes): void {
    const needed = totalBytes(areas);
    if (needed > this.limitBytes) {
      throw new CollectiveError('TOO_LARGE', `a round needs ${megabytes(needed)} of shared memory (${megabytes(areas.inputBytes)} inputs, `
        + `${megabytes(areas.outputBytes)} outputs, ${megabytes(areas.scratchBytes)} scratch), the limit is ${megabytes(this.limitBytes)}: `
        + 'split it into several rounds, or raise arenaBytes where it is below 4 GiB');
    }
    const pages = Math.ceil(needed / PAGE_BYTES) - this.memory.buffer.byteLength / PAGE_BYTES;
    if (pages > 0) this.memory.grow(pages);
  }
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
