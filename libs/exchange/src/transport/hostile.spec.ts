// Peers that do not keep to HTTP/2 or gRPC: the connection ends with a name for what was wrong, and everybody else is served.
import { once } from 'node:events';
import net from 'node:net';
import fc from 'fast-check';
import { RpcError } from '@lockstep/rpc';
import { FLAG, FRAME, frame, PREFACE, windowUpdateFrame } from '../http2/frame';
import { HpackDecoder } from '../http2/hpack/decoder';
import { encodeFields } from '../http2/hpack/encoder';
import { errorCodeOf } from '../http2/http2-error';
import { settingsFrame } from '../http2/settings';
import { contractClaim, contractHeader, CONTRACT_MESSAGE_BYTES, RecordedPull } from '../testing/transport-contract';
import { ChunkMessage } from '../wire/chunk-message';
import { encodePull, PULL_PATH } from '../wire/exchange-service';
import { GrpcTransport } from './grpc-transport';
import type { Listener } from './transport';

const IDLE_TIMEOUT_MS = 300;
const transport = new GrpcTransport({ windowBytes: 1 << 20, maxMessageBytes: CONTRACT_MESSAGE_BYTES, idleTimeoutMs: IDLE_TIMEOUT_MS });
const patient = new GrpcTransport({ windowBytes: 1 << 20, maxMessageBytes: CONTRACT_MESSAGE_BYTES });

const settings = settingsFrame('CLIENT', { windowBytes: 65_535, maxFrameBytes: 16_384, maxHeaderListBytes: 8192, maxStreams: 0 });
const hello = Buffer.concat([PREFACE, settings]);
const request: Readonly<Record<string, string>> = { ':method': 'POST', ':scheme': 'http', ':path': PULL_PATH, 'te': 'trailers', 'content-type': 'application/grpc' };
const blockOf = (fields: Readonly<Record<string, string>>): Buffer => encodeFields(Object.entries(fields).map(([name, value]) => ({ name, value })));
const headers = (streamId: number, fields = request, flags: number = FLAG.END_HEADERS): Buffer => frame(FRAME.HEADERS, flags, streamId, blockOf(fields));
const message = (body: Uint8Array): Buffer => Buffer.concat([Buffer.from([0]), uint32(body.length), body]);
const data = (streamId: number, bytes: Uint8Array, flags: number = FLAG.END_STREAM): Buffer => frame(FRAME.DATA, flags, streamId, bytes);
function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

interface Said { readonly type: number; readonly flags: number; readonly streamId: number; readonly payload: Buffer }

function framesOf(bytes: Buffer): Said[] {
  const frames: Said[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    frames.push({ type: bytes[at + 3] ?? 0, flags: bytes[at + 4] ?? 0, streamId: bytes.readUInt32BE(at + 5), payload: bytes.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return frames;
}

const goAwayOf = (frames: readonly Said[]): string | undefined =>
  frames.filter(({ type }) => type === FRAME.GOAWAY).map(({ payload }) => `${errorCodeOf(payload.readUInt32BE(4))} ${payload.toString('utf8', 8)}`)[0];

describe('a server', () => {
  let listener: Listener;
  let admitted = 0;
  beforeAll(async () => {
    listener = await patient.listen('127.0.0.1', 0, (pull) => {
      admitted++;
      const stream = pull.admit();
      stream.send(new ChunkMessage(contractHeader, Buffer.alloc(1000, 7)));
      stream.end();
    });
  });
  afterAll(() => listener.close());
  // Whatever came before: the next one is served.
  afterEach(async () => {
    const pulled = new RecordedPull(patient, `127.0.0.1:${listener.port}`);
    expect([await pulled.closed, pulled.chunks.length]).toEqual([undefined, 1]);
  });

  /** Sends bytes; gives what came until `enough`, or until the server closed the connection. */
  async function talk(bytes: Uint8Array, enough: (frames: readonly Said[]) => boolean = () => false, port = listener.port): Promise<readonly Said[]> {
    const socket = net.connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part]);
      if (enough(framesOf(received))) socket.destroy();
    });
    socket.write(bytes);
    await once(socket, 'close');
    return framesOf(received);
  }

  const spoil = (...after: readonly Uint8Array[]): Buffer => Buffer.concat([hello, ...after]);
  test.each<[string, Buffer, RegExp]>([
    ['speaks HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), /^PROTOCOL_ERROR the client does not speak HTTP\/2/],
    ['begins with something else than SETTINGS', Buffer.concat([PREFACE, frame(FRAME.PING, 0, 0, Buffer.alloc(8))]), /^PROTOCOL_ERROR the first frame is of type 6/],
    ['begins with DATA', Buffer.concat([PREFACE, data(1, Buffer.alloc(3))]), /^PROTOCOL_ERROR the first frame is of type 0/],
    ['sends a frame above the limit', spoil(data(1, Buffer.alloc(16_385))), /^FRAME_SIZE_ERROR a frame of 16385 bytes/],
    ['sends SETTINGS in a stream', spoil(frame(FRAME.SETTINGS, 0, 1, Buffer.alloc(0))), /^PROTOCOL_ERROR SETTINGS in stream 1/],
    ['sends half a setting', spoil(frame(FRAME.SETTINGS, 0, 0, Buffer.alloc(5))), /^FRAME_SIZE_ERROR SETTINGS of 5 bytes/],
    ['acknowledges with content', spoil(frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(6))), /^FRAME_SIZE_ERROR SETTINGS with ACK of 6 bytes/],
    ['sets a window above 2^31-1', spoil(frame(FRAME.SETTINGS, 0, 0, Buffer.from('000480000000', 'hex'))), /^FLOW_CONTROL_ERROR SETTINGS_INITIAL_WINDOW_SIZE/],
    ['sets frames of 16383 bytes', spoil(frame(FRAME.SETTINGS, 0, 0, Buffer.from('000500003fff', 'hex'))), /^PROTOCOL_ERROR SETTINGS_MAX_FRAME_SIZE of 16383/],
    ['sets push to 2', spoil(frame(FRAME.SETTINGS, 0, 0, Buffer.from('000200000002', 'hex'))), /^PROTOCOL_ERROR SETTINGS_ENABLE_PUSH of 2 from a client/],
    ['sends a short PING', spoil(frame(FRAME.PING, 0, 0, Buffer.alloc(7))), /^FRAME_SIZE_ERROR PING of 7 bytes/],
    ['pings in a stream', spoil(frame(FRAME.PING, 0, 1, Buffer.alloc(8))), /^PROTOCOL_ERROR PING in stream 1/],
    ['widens the connection by nothing', spoil(windowUpdateFrame(0, 0)), /^PROTOCOL_ERROR WINDOW_UPDATE by 0/],
    ['widens the connection too far', spoil(windowUpdateFrame(0, 2 ** 31 - 1)), /^FLOW_CONTROL_ERROR WINDOW_UPDATE takes the window/],
    ['widens a stream that is not open', spoil(windowUpdateFrame(7, 1)), /^PROTOCOL_ERROR WINDOW_UPDATE in stream 7, which was never opened/],
    ['resets a stream that is not open', spoil(frame(FRAME.RST_STREAM, 0, 5, Buffer.alloc(4))), /^PROTOCOL_ERROR RST_STREAM in stream 5/],
    ['sends DATA in a stream that is not open', spoil(data(3, Buffer.alloc(1))), /^PROTOCOL_ERROR DATA in stream 3/],
    ['opens an even stream', spoil(headers(2)), /^PROTOCOL_ERROR a client opens stream 2/],
    ['opens stream 0', spoil(headers(0)), /^PROTOCOL_ERROR HEADERS outside a stream/],
    ['pushes', spoil(frame(FRAME.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.alloc(8))), /^PROTOCOL_ERROR PUSH_PROMISE/],
    ['continues nothing', spoil(frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, Buffer.alloc(0))), /^PROTOCOL_ERROR CONTINUATION without HEADERS/],
    ['sends a PING within a header block', spoil(headers(1, request, 0), frame(FRAME.PING, 0, 0, Buffer.alloc(8))), /^PROTOCOL_ERROR frame of type 6 within the header block of stream 1/],
    ['sends DATA within a header block', spoil(headers(1, request, 0), data(1, Buffer.alloc(1))), /^PROTOCOL_ERROR DATA within a header block/],
    ['continues another stream', spoil(headers(1, request, 0), frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 3, Buffer.alloc(0))), /^PROTOCOL_ERROR frame of type 9 within/],
    ['pads HEADERS past their end', spoil(frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.PADDED, 1, Buffer.from([9, 0]))), /^PROTOCOL_ERROR HEADERS of 2 bytes are shorter/],
    ['sends a header block that is none', spoil(frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))), /^COMPRESSION_ERROR/],
    ['sends too many fields', spoil(headers(1, { ...request, a: 'x'.repeat(9000) }, 0), frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, blockOf({ b: 'y'.repeat(7300) }))), /^ENHANCE_YOUR_CALM a header list of more than 16384 bytes/],
    ['sends header blocks without end', spoil(headers(1, request, 0), ...Array.from({ length: 5 }, () => frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(8000)))), /^ENHANCE_YOUR_CALM a header block of more than/],
    ['continues by nothing for ever', spoil(headers(1, request, 0), ...Array.from({ length: 1100 }, () => frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(0)))), /^ENHANCE_YOUR_CALM too many frames without content, the last one CONTINUATION/],
    ['floods with PINGs', spoil(...Array.from({ length: 3000 }, () => frame(FRAME.PING, 0, 0, Buffer.alloc(8)))), /^ENHANCE_YOUR_CALM/],
    ['floods with SETTINGS', spoil(...Array.from({ length: 1100 }, () => settings)), /^ENHANCE_YOUR_CALM/],
    ['floods with empty DATA', spoil(headers(1), ...Array.from({ length: 1100 }, () => data(1, Buffer.alloc(0), 0))), /^ENHANCE_YOUR_CALM.*DATA/],
    ['floods with resets', spoil(...Array.from({ length: 1100 }, (_, i) => Buffer.concat([headers(2 * i + 1), frame(FRAME.RST_STREAM, 0, 2 * i + 1, Buffer.alloc(4))]))), /^ENHANCE_YOUR_CALM.*RST_STREAM/],
  ])('that a client %s: GOAWAY says so', async (_title, bytes, expected) => {
    expect(`${goAwayOf(await talk(bytes))}`).toMatch(expected);
  });

  const statusOf = (frames: readonly Said[], streamId: number): string => frames.filter((one) => one.streamId === streamId && one.type === FRAME.HEADERS)
    .flatMap(({ payload }) => new HpackDecoder(16_384).decode(payload)).map(({ name, value }) => `${name}: ${value}`).join('\n');
  const ended = (streamId: number) => (frames: readonly Said[]): boolean => frames.some((one) => one.streamId === streamId && one.type === FRAME.HEADERS && (one.flags & FLAG.END_STREAM) !== 0);

  test.each<[string, Readonly<Record<string, string>>, Buffer, RegExp]>([
    ['of another path', { ...request, ':path': '/x.Y/Z' }, message(Buffer.alloc(0)), /grpc-status: 12\n.*\/x\.Y\/Z is not served here/],
    ['that is a GET', { ...request, ':method': 'GET' }, Buffer.alloc(0), /^:status: 405$/],
    ['that is no gRPC', { ...request, 'content-type': 'application/json' }, Buffer.alloc(0), /^:status: 415$/],
    ['that is gRPC of a longer name', { ...request, 'content-type': 'application/grpcx' }, Buffer.alloc(0), /^:status: 415$/],
    ['without trailers', Object.fromEntries(Object.entries(request).filter(([name]) => name !== 'te')), message(Buffer.alloc(0)), /grpc-status: 13\n.*te: trailers/],
    ['without a message', request, Buffer.alloc(0), /grpc-status: 13\n.*not exactly one message/],
    ['with two messages', request, Buffer.concat([message(encodePull(contractClaim)), message(encodePull(contractClaim))]), /not exactly one message/],
    ['with a compressed message', request, Buffer.concat([Buffer.from([1]), message(encodePull(contractClaim)).subarray(1)]), /grpc-status: 12\n.*compressed/],
    ['that is no PullRequest', request, message(Buffer.from('ffffff', 'hex')), /grpc-status: 13\n.*no PullRequest/],
  ])('answers a request %s', async (_title, fields, body, expected) => {
    const frames = await talk(spoil(headers(1, fields), data(1, body)), ended(1));
    expect(statusOf(frames, 1)).toMatch(expected);
  });

  test('answers a request that is too large before its end, which its window may never let it reach', async () => {
    const frames = await talk(spoil(headers(1), ...Array.from({ length: 5 }, () => data(1, Buffer.alloc(16_384), 0))), (said) => said.some(({ type }) => type === FRAME.RST_STREAM));
    expect(statusOf(frames, 1)).toMatch(/grpc-status: 8\n/);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['without a path', { ':method': 'POST', ':scheme': 'http' }],
    ['with an upper-case name', { ...request, Te: 'trailers' }],
    ['with a field of the connection', { ...request, connection: 'close' }],
    ['with a pseudo-field at the end', { te: 'trailers', ...request }],
    ['with a pseudo-field of answers', { ':status': '200', ...request }],
  ])('resets a request %s, and serves the next one on the connection', async (_title, fields) => {
    const frames = await talk(spoil(headers(1, fields), headers(3), data(3, message(encodePull(contractClaim)))), ended(3));
    expect(frames.filter(({ type, streamId }) => type === FRAME.RST_STREAM && streamId === 1).map(({ payload }) => payload.readUInt32BE(0))).toEqual([1]);
    expect(frames.some(({ type, streamId, payload }) => type === FRAME.DATA && streamId === 3 && payload.length === 1064)).toBe(true);
  });

  test('headers in pieces, with padding and priority, and a body in pieces, make one request', async () => {
    const block = blockOf(request);
    const first = Buffer.concat([Buffer.from([3]), Buffer.alloc(5), block.subarray(0, 10), Buffer.alloc(3)]);
    const body = message(encodePull(contractClaim));
    const frames = await talk(spoil(
      frame(FRAME.PRIORITY, 0, 9, Buffer.alloc(5)), frame(0x42, 0, 1, Buffer.alloc(100)),
      frame(FRAME.HEADERS, FLAG.PADDED | FLAG.PRIORITY, 1, first), frame(FRAME.CONTINUATION, 0, 1, block.subarray(10, 11)), frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, block.subarray(11)),
      frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.concat([Buffer.from([4]), body.subarray(0, 2), Buffer.alloc(4)])), data(1, body.subarray(2), 0),
      headers(1, { 'x-trailer': 'any' }, FLAG.END_HEADERS | FLAG.END_STREAM),
    ), ended(1));
    expect(statusOf(frames, 1)).toMatch(/grpc-status: 0$/);
  });

  test('more streams than it takes are refused, and those that it took are served', async () => {
    const before = admitted;
    const opened = Array.from({ length: 130 }, (_, i) => headers(2 * i + 1));
    const frames = await talk(spoil(...opened, data(255, message(encodePull(contractClaim)))), ended(255));
    expect(frames.filter(({ type }) => type === FRAME.RST_STREAM).map(({ streamId, payload }) => [streamId, payload.readUInt32BE(0)])).toEqual([[257, 7], [259, 7]]);
    expect(admitted).toBe(before + 1);
  });

  test('a stranger who asks for nothing does not stay', async () => {
    const hasty = await transport.listen('127.0.0.1', 0, () => undefined);
    expect(goAwayOf(await talk(hello, undefined, hasty.port))).toBe('NO_ERROR nothing was asked for');
    expect(await talk(Buffer.alloc(0), undefined, hasty.port)).not.toHaveLength(0);
    await hasty.close();
  });

  test('any bytes after a good beginning: the connection ends or goes on, the server stays', async () => {
    const start = [spoil(), spoil(headers(1)), Buffer.alloc(0), spoil(headers(1), data(1, message(encodePull(contractClaim))))];
    const noise = fc.uint8Array({ minLength: 1, maxLength: 400 });
    const frames = fc.array(fc.record({ type: fc.integer({ min: 0, max: 10 }), flags: fc.nat(255), stream: fc.nat(5), payload: fc.uint8Array({ maxLength: 40 }) })
      .map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload)), { maxLength: 12 }).map((list) => Buffer.concat(list));
    await fc.assert(fc.asyncProperty(fc.constantFrom(...start), fc.oneof(noise, frames), async (before, after) => {
      const socket = net.connect(listener.port, '127.0.0.1').on('error', () => undefined).resume();
      socket.end(Buffer.concat([before, after]));
      await once(socket, 'close');
    }), { numRuns: 300 });
  });
});

describe('a client', () => {
  const goodSettings = settingsFrame('SERVER', { windowBytes: 65_535, maxFrameBytes: 16_384, maxHeaderListBytes: 8192, maxStreams: 10 });
  const answer = headers(1, { ':status': '200', 'content-type': 'application/grpc' });
  const trailers = (fields: Readonly<Record<string, string>>): Buffer => headers(1, fields, FLAG.END_HEADERS | FLAG.END_STREAM);
  const chunk = message(new ChunkMessage(contractHeader, Buffer.alloc(100)).toBuffer());

  /** What a pull makes of a server that says this, and closes the connection afterwards if it is told to. */
  async function causeOf(bytes: Uint8Array, then: 'CLOSE' | 'STAY' = 'STAY'): Promise<{ cause: RpcError | undefined; pulled: RecordedPull }> {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined).resume();
      if (then === 'CLOSE') socket.end(bytes);
      else socket.write(bytes);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const pulled = new RecordedPull(patient, `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
    const cause = await pulled.closed;
    server.close();
    return { cause, pulled };
  }

  test.each<[string, Buffer, RegExp, 'CLOSE' | 'STAY']>([
    ['speaks HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /^INTERNAL .* breaks HTTP\/2 \(PROTOCOL_ERROR\): the first frame is of type 80, not SETTINGS/, 'STAY'],
    ['pushes', Buffer.concat([goodSettings, frame(FRAME.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.alloc(8))]), /^INTERNAL .*PUSH_PROMISE/, 'STAY'],
    ['answers another stream', Buffer.concat([goodSettings, headers(3, { ':status': '200' })]), /^INTERNAL .*HEADERS in stream 3/, 'STAY'],
    ['sends DATA before HEADERS', Buffer.concat([goodSettings, data(1, chunk, 0)]), /^INTERNAL .*DATA before HEADERS/, 'STAY'],
    ['sends more than the window', Buffer.concat([goodSettings, answer, frame(FRAME.DATA, 0, 1, Buffer.alloc((1 << 20) + 1))]), /^INTERNAL .*FLOW_CONTROL_ERROR.*1 bytes more than the window/, 'STAY'],
    ['has HTTP status 503', Buffer.concat([goodSettings, headers(1, { ':status': '503' })]), /^UNAVAILABLE .*HTTP status 503/, 'STAY'],
    ['has HTTP status 404 and nothing else', Buffer.concat([goodSettings, trailers({ ':status': '404' })]), /^UNIMPLEMENTED .*404/, 'STAY'],
    ['answers in HTML', Buffer.concat([goodSettings, headers(1, { ':status': '200', 'content-type': 'text/html' })]), /^UNKNOWN .*content type text\/html, not gRPC/, 'STAY'],
    ['ends without a status', Buffer.concat([goodSettings, answer, data(1, chunk)]), /^INTERNAL the answer ended without a gRPC status/, 'STAY'],
    ['ends within a message', Buffer.concat([goodSettings, answer, data(1, chunk.subarray(0, 90), 0), trailers({ 'grpc-status': '0' })]), /^INTERNAL the answer ended within a message/, 'STAY'],
    ['compresses', Buffer.concat([goodSettings, answer, data(1, Buffer.concat([Buffer.from([1]), chunk.subarray(1)]), 0)]), /^UNIMPLEMENTED a message is compressed/, 'STAY'],
    ['announces a message above the limit', Buffer.concat([goodSettings, answer, data(1, Buffer.from('00ffffffff', 'hex'), 0)]), /^RESOURCE_EXHAUSTED a message of 4294967295 bytes/, 'STAY'],
    ['resets the call', Buffer.concat([goodSettings, answer, frame(FRAME.RST_STREAM, 0, 1, uint32(11))]), /^RESOURCE_EXHAUSTED .*reset the call with ENHANCE_YOUR_CALM/, 'STAY'],
    ['goes away before the call', Buffer.concat([goodSettings, frame(FRAME.GOAWAY, 0, 0, Buffer.alloc(8))]), /^UNAVAILABLE .*takes no more calls/, 'STAY'],
    ['goes away with an error', Buffer.concat([goodSettings, answer, frame(FRAME.GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(1), Buffer.from('why')]))]), /^INTERNAL .*PROTOCOL_ERROR: why/, 'STAY'],
    ['drops the connection', Buffer.concat([goodSettings, answer]), /^UNAVAILABLE the connection to .* was closed/, 'CLOSE'],
    ['says a status that does not exist', Buffer.concat([goodSettings, trailers({ ':status': '200', 'grpc-status': '77', 'grpc-message': 'a%20b%zz%C3%A4' })]), /^UNKNOWN a b%zzä$/, 'STAY'],
    ['sends details that are none', Buffer.concat([goodSettings, trailers({ ':status': '200', 'grpc-status': '9', 'grpc-message': 'over', 'grpc-status-details-bin': '/////w' })]), /^FAILED_PRECONDITION over$/, 'STAY'],
  ])('of a server that %s', async (_title, bytes, expected, then) => {
    const { cause } = await causeOf(bytes, then);
    expect(`${cause?.code} ${cause?.message}`).toMatch(expected);
  });

  test('goes on through informational answers, settings in between, padding, empty frames and a polite GOAWAY', async () => {
    const { cause, pulled } = await causeOf(Buffer.concat([
      goodSettings, headers(1, { ':status': '103', 'link': 'x' }), goodSettings, answer, frame(FRAME.GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)])), data(1, Buffer.alloc(0), 0),
      frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.concat([Buffer.from([9]), chunk.subarray(0, 3), Buffer.alloc(9)])), data(1, chunk.subarray(3), 0), frame(0xfa, 0, 0, Buffer.alloc(33)),
      trailers({ 'grpc-status': '0' }),
    ]));
    expect([cause, pulled.chunks.length]).toEqual([undefined, 1]);
  });

  test('a message that is no Chunk is said to be none, and dropped; the next one is taken', async () => {
    const { cause, pulled } = await causeOf(Buffer.concat([
      goodSettings, answer, data(1, Buffer.concat([message(Buffer.from([0xff, 0xff])), message(Buffer.alloc(0)), message(Buffer.from(chunk.subarray(5)).fill(77, 20, 21)), message(Buffer.alloc(200, 0xff)), chunk]), 0), trailers({ 'grpc-status': '0' }),
    ]));
    expect([cause, pulled.malformed.length, pulled.chunks.length]).toEqual([undefined, 4, 1]);
  });

  test('any bytes from a server: the pull ends with a cause', async () => {
    const frames = fc.array(fc.record({ type: fc.integer({ min: 0, max: 10 }), flags: fc.nat(255), stream: fc.nat(2), payload: fc.uint8Array({ maxLength: 80 }) })
      .map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload)), { maxLength: 12 }).map((list) => Buffer.concat(list));
    const start = [goodSettings, Buffer.concat([goodSettings, answer]), Buffer.alloc(0), Buffer.concat([goodSettings, answer, data(1, chunk.subarray(0, 70), 0)])];
    await fc.assert(fc.asyncProperty(fc.constantFrom(...start), fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 300 }), frames), async (before, after) => {
      const { cause } = await causeOf(Buffer.concat([before, after]), 'CLOSE');
      expect(cause).toBeInstanceOf(RpcError);
    }), { numRuns: 300 });
  });
});
