import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { maskedCrc32c } from '@lockstep/examples';
import { fileVersionEvent, scalarEvent } from './event-proto';
import type { ScalarPoint } from './scalar-points';

/** A TensorBoard event file: TFRecords of tensorflow.Event. */
export class EventFile {
  constructor(
    private readonly path: string,
    /** Of the machine that writes, in seconds: for people who look at the file, never for what is trained. */
    private readonly nowS: () => number,
  ) {}

  /** Writes a file with all these points, in the place of what was there. */
  begin(points: readonly ScalarPoint[]): void {
    mkdirSync(dirname(this.path), { recursive: true });
    // A name that TensorBoard does not look at.
    const next = this.path.replace('tfevents', 'next');
    writeFileSync(next, Buffer.concat([frame(fileVersionEvent(this.nowS())), this.frames(points)]));
    renameSync(next, this.path);
  }

  append(points: readonly ScalarPoint[]): void {
    appendFileSync(this.path, this.frames(points));
  }

  private frames(points: readonly ScalarPoint[]): Buffer {
    return Buffer.concat(points.map((point) => frame(scalarEvent(this.nowS(), point))));
  }
}

const LENGTH_BYTES = 8;
const CRC_BYTES = 4;

/** A TFRecord: u64le length, masked CRC-32C of the length, data, masked CRC-32C of the data. */
function frame(data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES + CRC_BYTES + data.length + CRC_BYTES);
  bytes.writeBigUInt64LE(BigInt(data.length));
  bytes.writeUInt32LE(maskedCrc32c(bytes, 0, LENGTH_BYTES), LENGTH_BYTES);
  bytes.set(data, LENGTH_BYTES + CRC_BYTES);
  bytes.writeUInt32LE(maskedCrc32c(data), bytes.length - CRC_BYTES);
  return bytes;
}
