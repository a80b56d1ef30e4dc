import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { RecordWriter } from '../records/record-writer';

export interface SplitWriterOptions {
  readonly folder: string;
  readonly split: string;
  readonly gzip: boolean;
  readonly recordsPerFile: number;
}

/** Writes the records of one split into files data_tfrecord-00000-of-0000N, whose number is known at the end only. */
export class SplitWriter {
  recordCount = 0;
  private readonly parts: string[] = [];
  private writer: RecordWriter | undefined;

  constructor(private readonly options: SplitWriterOptions) {}

  /** @throws ExamplesError UNREADABLE_FILE */
  async write(record: Uint8Array): Promise<void> {
    if (this.recordCount % this.options.recordsPerFile === 0) await this.nextPart();
    this.recordCount++;
    await this.writer?.write(record);
  }

  /** Ends the last file and names all of them. @returns their names within the folder */
  async finish(): Promise<readonly string[]> {
    await this.writer?.close();
    const { folder, split, gzip } = this.options;
    const digits = (value: number): string => `${value}`.padStart(5, '0');
    const names = this.parts.map((_, i) => `Split-${split}/data_tfrecord-${digits(i)}-of-${digits(this.parts.length)}${gzip ? '.gz' : ''}`);
    for (const [i, part] of this.parts.entries()) await rename(part, join(folder, names[i] ?? ''));
    return names;
  }

  /** Ends the writing of a file that will be thrown away. */
  async abandon(): Promise<void> {
    await this.writer?.abandon();
  }

  private async nextPart(): Promise<void> {
    await this.writer?.close();
    const folder = join(this.options.folder, `Split-${this.options.split}`);
    await mkdir(folder, { recursive: true });
    const part = join(folder, `part-${this.parts.length}`);
    this.parts.push(part);
    this.writer = new RecordWriter(part, { gzip: this.options.gzip });
  }
}
