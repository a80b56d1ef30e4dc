import { ExamplesError } from '../examples-error';
import { BlockCache } from './block-cache';
import { checkData, dataLength, FOOTER_BYTES, HEADER_BYTES, truncated } from './record-frame';
import { indexRecords, type RecordIndex } from './record-index';

export interface RecordStoreOptions {
  /** Where decompressed files and indices are kept between runs. */
  readonly cacheFolder: string;
  /** Bytes of file contents that are kept in memory. */
  readonly memoryBytes?: number;
}

const DEFAULT_MEMORY_BYTES = 64 << 20;

/** TFRecord files whose records are read by number. */
export class RecordStore {
  private readonly indices = new Map<string, Promise<RecordIndex>>();
  private readonly blocks: BlockCache;

  constructor(private readonly options: RecordStoreOptions) {
    this.blocks = new BlockCache({ capacityBytes: options.memoryBytes ?? DEFAULT_MEMORY_BYTES });
  }

  /** Indexes a file unless that is done already. @throws ExamplesError like indexRecords */
  open(file: string): Promise<RecordIndex> {
    const known = this.indices.get(file);
    if (known) return known;
    const opened = indexRecords(file, this.options.cacheFolder);
    this.indices.set(file, opened);
    // A file that could not be indexed may be put right: the next call tries again.
    opened.catch(() => this.indices.delete(file));
    return opened;
  }

  /**
   * The data of a record, both CRCs checked. May be a view that others share: read only.
   *
   * @throws ExamplesError NO_SUCH_RECORD, CORRUPT, TRUNCATED, UNREADABLE_FILE
   */
  read({ file, framesPath, offsets }: RecordIndex, record: number): Uint8Array {
    const offset = offsets[record];
    const end = offsets[record + 1];
    if (offset === undefined || end === undefined) {
      throw new ExamplesError('NO_SUCH_RECORD', `${file} has no record ${record}: it has ${offsets.length - 1}. The file has changed since its records were counted: count them again`, { file, record });
    }
    const place = { file, record, offset };
    const frame = this.blocks.read(framesPath, offset, end);
    if (frame.length < end - offset || dataLength(frame, 0, place) !== frame.length - HEADER_BYTES - FOOTER_BYTES) throw truncated(place, 'data');
    checkData(frame, HEADER_BYTES, frame.length - FOOTER_BYTES, place);
    return frame.subarray(HEADER_BYTES, frame.length - FOOTER_BYTES);
  }

  close(): void {
    this.blocks.close();
    this.indices.clear();
  }
}
