/**
 * What a round must move over the wire. Tests and a job's result compare the bytes that sockets counted to it.
 */
import { chunkCount, splitBucket } from './chunk-ownership';
import type { Slot } from './reduction-plan';
import { rangeLength } from './range';

/** Constants of an exchange that all members share. */
export interface ExchangeConstants {
  /** Largest bucket that goes to everybody. */
  readonly oneShotBytes: number;
  /** Largest payload of a message. */
  readonly chunkBytes: number;
  /** What a message carries beside its payload. */
  readonly headerBytes: number;
}

/** What one member moves in a round. Bytes include the message headers. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentChunks: number;
  readonly receivedChunks: number;
}

/**
 * @param slots of the world
 * @param slotPresent for each slot, whether it has rows in this round
 * @param bucketLengths in elements
 */
export function plannedTraffic(
  constants: ExchangeConstants, worldSize: number, rank: number,
  slots: readonly Slot[], slotPresent: readonly boolean[], bucketLengths: readonly number[],
): Traffic {
  const elementBytes = Float32Array.BYTES_PER_ELEMENT;
  const chunkLength = Math.floor(constants.chunkBytes / elementBytes);
  let [sentBytes, receivedBytes, sentChunks, receivedChunks] = [0, 0, 0, 0];
  for (const length of bucketLengths) {
    const { mode, owned } = splitBucket(length, worldSize, slots.length, constants.oneShotBytes);
    const ship = (from: number, to: number): { bytes: number; chunks: number } => {
      let [bytes, chunks] = [0, 0];
      const target = owned[to] ?? { from: 0, to: 0 };
      slots.forEach((slot, i) => {
        if (slot.rank !== from) return;
        chunks += slotPresent[i] === true ? chunkCount(target, chunkLength) : 1;
        if (slotPresent[i] === true) bytes += rangeLength(target) * elementBytes;
      });
      const sums = owned[from] ?? { from: 0, to: 0 };
      if (mode === 'SCATTER_GATHER' && rangeLength(sums) > 0) {
        chunks += chunkCount(sums, chunkLength);
        bytes += rangeLength(sums) * elementBytes;
      }
      return { bytes: bytes + chunks * constants.headerBytes, chunks };
    };
    for (let peer = 0; peer < worldSize; peer++) {
      if (peer === rank) continue;
      const out = ship(rank, peer);
      const back = ship(peer, rank);
      sentBytes += out.bytes;
      sentChunks += out.chunks;
      receivedBytes += back.bytes;
      receivedChunks += back.chunks;
    }
  }
  return { sentBytes, receivedBytes, sentChunks, receivedChunks };
}
