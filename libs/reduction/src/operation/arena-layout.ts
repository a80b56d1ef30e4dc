/**
 * Where a round's data lies in the arena.
 *
 * 1. Four areas follow each other: flags | inputs | outputs | scratch. Compute and exchange thread derive the same
 *    addresses from the same arguments.
 * 2. Areas only move when nothing is in flight. While they stay, what a peer has not pulled yet cannot be overwritten:
 *    inputs are written again after the round, which ends when all peers have them or they are sent, and outputs
 *    after all peers have spoken in the next one.
 * 3. Everything starts at a multiple of 64 bytes, so that it agrees modulo 8 with the payload of an aligned message.
 */
import { splitBucket, type BucketSplit } from '../chunk-ownership';
import type { ExchangeConstants } from '../planned-traffic';
import { rangeLength } from '../range';
import { maxRegisters, type Slot } from '../reduction-plan';

const ELEMENT_BYTES = Float32Array.BYTES_PER_ELEMENT;
const ALIGNMENT_BYTES = 64;

/** What decides a round's layout. Presence does not. */
export interface RoundShape {
  /** Elements of each bucket. */
  readonly bucketLengths: readonly number[];
  readonly replicas: number;
  readonly worldSize: number;
  readonly rank: number;
  /** All slots of the world. */
  readonly slots: readonly Slot[];
  readonly constants: ExchangeConstants;
}

/** Sizes of the areas in bytes, in the order in which they lie. */
export interface AreaSizes {
  readonly flagsBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly scratchBytes: number;
}

export const NO_AREAS: AreaSizes = { flagsBytes: 0, inputBytes: 0, outputBytes: 0, scratchBytes: 0 };

/** Addresses of one bucket, in bytes. */
export interface BucketPlace {
  readonly length: number;
  readonly split: BucketSplit;
  /** By index of the own root. */
  readonly inputs: readonly number[];
  readonly output: number;
  /** By slot: where the slot's values for the elements that this rank reduces start. For own slots inside the input. */
  readonly sources: readonly number[];
}

/** Addresses of a round. */
export interface RoundPlace {
  /** int32 per bucket: the number of the last round in which it was reduced. */
  readonly flags: number;
  readonly buckets: readonly BucketPlace[];
  /** Registers of a chunk's size each. */
  readonly registers: readonly number[];
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

/** Places a round into areas of the given sizes, and says what sizes it needs. */
export function placeRound(shape: RoundShape, areas: AreaSizes): { readonly place: RoundPlace; readonly needs: AreaSizes } {
  const { bucketLengths, worldSize, rank, slots, constants } = shape;
  const input = new Area(areas.flagsBytes);
  const output = new Area(areas.flagsBytes + areas.inputBytes);
  const scratch = new Area(areas.flagsBytes + areas.inputBytes + areas.outputBytes);
  const registers = Array.from({ length: maxRegisters(shape.replicas) }, () => scratch.take(Math.max(constants.chunkBytes, constants.oneShotBytes)));
  const buckets = bucketLengths.map((length): BucketPlace => {
    const split = splitBucket(length, worldSize, slots.length, constants.oneShotBytes);
    const owned = split.owned[rank] ?? { from: 0, to: 0 };
    const inputs: number[] = [];
    const sources = slots.map((slot) => {
      if (slot.rank !== rank) return scratch.take(rangeLength(owned) * ELEMENT_BYTES);
      const address = input.take(length * ELEMENT_BYTES);
      inputs.push(address);
      return address + owned.from * ELEMENT_BYTES;
    });
    return { length, split, inputs, output: output.take(length * ELEMENT_BYTES), sources };
  });
  return {
    place: { flags: 0, buckets, registers },
    needs: { flagsBytes: align(bucketLengths.length * Int32Array.BYTES_PER_ELEMENT), inputBytes: input.used, outputBytes: output.used, scratchBytes: scratch.used },
  };
}

export const totalBytes = (areas: AreaSizes): number => areas.flagsBytes + areas.inputBytes + areas.outputBytes + areas.scratchBytes;

export const fits = (areas: AreaSizes, needs: AreaSizes): boolean =>
  needs.flagsBytes <= areas.flagsBytes && needs.inputBytes <= areas.inputBytes
  && needs.outputBytes <= areas.outputBytes && needs.scratchBytes <= areas.scratchBytes;

/** Areas that hold what fitted before and what is needed now. */
export const grow = (areas: AreaSizes, needs: AreaSizes): AreaSizes => ({
  flagsBytes: Math.max(areas.flagsBytes, needs.flagsBytes),
  inputBytes: Math.max(areas.inputBytes, needs.inputBytes),
  outputBytes: Math.max(areas.outputBytes, needs.outputBytes),
  scratchBytes: Math.max(areas.scratchBytes, needs.scratchBytes),
});

class Area {
  used = 0;
  constructor(private readonly base: number) {}

  take(bytes: number): number {
    const address = this.base + this.used;
    this.used += align(bytes);
    return address;
  }
}
