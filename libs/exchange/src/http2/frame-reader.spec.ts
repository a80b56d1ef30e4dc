import fc from 'fast-check';
import { DEFAULT_FRAME_BYTES, FLAG, FRAME, frame } from './frame';
import { FrameReader, type FrameSink } from './frame-reader';

/** Events in words; the bytes of a DATA frame are put together, however they came. */
class Log implements FrameSink {
  readonly lines: string[] = [];
  private parts: Buffer[] = [];
  /** Where bytes are read to directly, if anywhere. */
  private direct: Buffer | undefined;

  constructor(private readonly offersPlaces: boolean) {}

  control({ type, flags, streamId, payload }: Parameters<FrameSink['control']>[0]): void {
    this.lines.push(`${type} ${flags} ${streamId} ${payload.toString('hex')}`);
  }

  dataBegin(streamId: number, bytes: number): void {
    this.lines.push(`DATA ${streamId} ${bytes}`);
    this.parts = [];
  }

  data(bytes: Uint8Array): void {
    this.parts.push(Buffer.from(bytes));
  }

  place(limitBytes: number): Uint8Array | undefined {
    this.direct = this.offersPlaces ? Buffer.alloc(limitBytes) : undefined;
    return this.direct;
  }

  placed(bytes: number): void {
    this.parts.push(Buffer.from((this.direct ?? Buffer.alloc(0)).subarray(0, bytes)));
  }

  dataEnd(endStream: boolean): void {
    this.lines.push(`${Buffer.concat(this.parts).toString('latin1')}${endStream ? '.' : ''}`);
  }
}

const HELLO = frame(FRAME.SETTINGS, 0, 0, Buffer.alloc(0));
const limits = { maxFrameBytes: 200_000, maxControlBytes: 1000 };
const padded = (text: Buffer, padding: number): Buffer => Buffer.concat([Buffer.from([padding]), text, Buffer.alloc(padding)]);

interface Case { readonly bytes: Buffer; readonly lines: readonly string[] }
const data = fc.record({ size: fc.oneof(fc.nat(50), fc.constantFrom(16_384, 40_000, 150_000)), padding: fc.option(fc.nat(255), { nil: undefined }), end: fc.boolean(), stream: fc.integer({ min: 1, max: 9 }) })
  .map(({ size, padding, end, stream }): Case => {
    const text = Buffer.alloc(size, `stream ${stream}, `);
    const payload = padding === undefined ? text : padded(text, padding);
    const flags = (end ? FLAG.END_STREAM : 0) | (padding === undefined ? 0 : FLAG.PADDED);
    return { bytes: frame(FRAME.DATA, flags, stream, payload), lines: [`DATA ${stream} ${payload.length}`, `${text.toString('latin1')}${end ? '.' : ''}`] };
  });
const control = fc.record({ type: fc.integer({ min: 1, max: 9 }), flags: fc.nat(255), stream: fc.nat(2 ** 31 - 1), payload: fc.uint8Array({ maxLength: 100 }) })
  .map(({ type, flags, stream, payload }): Case => ({ bytes: frame(type, flags, stream, payload), lines: [`${type} ${flags} ${stream} ${Buffer.from(payload).toString('hex')}`] }));
const unknown = fc.record({ type: fc.integer({ min: 10, max: 255 }), payload: fc.uint8Array({ maxLength: 1000 }) })
  .map(({ type, payload }): Case => ({ bytes: frame(type, 0, 3, payload), lines: [`${type} 0 3 `] }));

test('frames come out as they went in, however the network cuts them, and wherever it puts them', () => {
  fc.assert(fc.property(fc.array(fc.oneof(data, control, unknown), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }), fc.boolean(), (cases, cuts, direct) => {
    const log = new Log(direct);
    const reader = new FrameReader(limits, log);
    const bytes = Buffer.concat([HELLO, ...cases.map((one) => one.bytes)]);
    const staging = Buffer.alloc(65_536);
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const target = reader.next(staging);
      const read = bytes.copy(target, 0, at, Math.min(bytes.length, at + (cuts[turn % cuts.length] ?? 1)));
      reader.read(target, read);
      at += read;
    }
    expect(log.lines).toEqual(['4 0 0 ', ...cases.flatMap((one) => one.lines)]);
  }));
});

test.each<[string, Buffer, string]>([
  ['a frame above the limit', frame(FRAME.DATA, 0, 1, Buffer.alloc(DEFAULT_FRAME_BYTES + 1)), 'a frame of 16385 bytes; at most 16384 were allowed'],
  ['a large frame that is not DATA', frame(FRAME.HEADERS, 0, 1, Buffer.alloc(1001)), 'a frame of type 1 with 1001 bytes; at most 1000 are taken'],
  ['DATA of no stream', frame(FRAME.DATA, 0, 0, Buffer.alloc(1)), 'DATA outside a stream'],
  ['DATA that is all padding and more', frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.from([2, 0])), 'DATA of 2 bytes with 2 bytes of padding'],
  ['DATA that is padded but empty', frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.alloc(0)), 'DATA is padded but empty'],
])('refused: %s', (_title, bytes, message) => {
  expect(() => new FrameReader({ maxFrameBytes: DEFAULT_FRAME_BYTES, maxControlBytes: 1000 }, new Log(false)).feed(Buffer.concat([HELLO, bytes]))).toThrow(message);
});
