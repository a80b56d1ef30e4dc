import http2 from 'node:http2';
import net from 'node:net';
import { once } from 'node:events';
import fc from 'fast-check';
import { FRAME, FLAG } from '../frame';
import { FrameReader } from '../frame-reader';
import { HpackDecoder } from './decoder';
import { encodeFields } from './encoder';
import { decodeHuffman, huffmanCodes } from './huffman';
import { STATIC_TABLE, type HeaderField } from './static-table';

const bytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
const list = (...lines: string[]): HeaderField[] => lines.map((line) => {
  const at = line.indexOf(': ', 1);
  return { name: line.slice(0, at), value: line.slice(at + 2) };
});
/** Sets the table to 256 bytes, as the examples with responses assume. */
const TABLE_OF_256 = '3fe101';
const FIRST = list(':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com');
const SECOND = [...FIRST, ...list('cache-control: no-cache')];
const THIRD = list(':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value');
const ANSWERS = [
  list(':status: 302', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'),
  list(':status: 307', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'),
  list(':status: 200', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:22 GMT', 'location: https://www.example.com', 'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'),
];

test.each<[string, readonly (readonly [string, readonly HeaderField[]])[]]>([
  ['C.2.1, a literal that is indexed', [['400a637573746f6d2d6b65790d637573746f6d2d686561646572', list('custom-key: custom-header')]]],
  ['C.2.2, a literal that is not', [['040c2f73616d706c652f70617468', list(':path: /sample/path')]]],
  ['C.2.3, a literal that never is', [['100870617373776f726406736563726574', list('password: secret')]]],
  ['C.2.4, an indexed field', [['82', list(':method: GET')]]],
  ['C.3, requests without Huffman', [
    ['828684410f7777772e6578616d706c652e636f6d', FIRST], ['828684be58086e6f2d6361636865', SECOND],
    ['828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', THIRD],
  ]],
  ['C.4, requests with Huffman', [
    ['828684418cf1e3c2e5f23a6ba0ab90f4ff', FIRST], ['828684be5886a8eb10649cbf', SECOND], ['828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', THIRD],
  ]],
  ['C.5, answers without Huffman, with evictions', [
    [`${TABLE_OF_256}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d`, ANSWERS[0] ?? []],
    ['4803333037c1c0bf', ANSWERS[1] ?? []],
    ['88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31', ANSWERS[2] ?? []],
  ]],
  ['C.6, answers with Huffman, with evictions', [
    [`${TABLE_OF_256}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`, ANSWERS[0] ?? []],
    ['4883640effc1c0bf', ANSWERS[1] ?? []],
    ['88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007', ANSWERS[2] ?? []],
  ]],
])('RFC 7541, appendix %s', (_title, blocks) => {
  const decoder = new HpackDecoder(16_384);
  for (const [hex, fields] of blocks) expect(decoder.decode(bytes(hex))).toEqual(fields);
});

test.each<[string, string, RegExp]>([
  ['index 0', '80', /names field 0/],
  ['an index past the tables', 'be', /names field 62; the tables have 61/],
  ['an end within an integer', 'ff', /ends within a field/],
  ['an integer without end', 'ffffffffffff7f', /too large/],
  ['an end within a string', '400a6375', /ends within a string/],
  ['a field without value', '0001', /ends within a string/],
  ['a table above the limit', '3fe21f', /its table to 4097 bytes; the limit is 4096/],
  ['a table that changes after a field', '8220', /after its first field/],
  ['a Huffman string that ends within a code', '0081008100', /within a Huffman code/],
  ['a Huffman string with a byte of padding', '008287ff00', /within a Huffman code/],
  ['a Huffman string with the end-of-string symbol', '0084ffffffff00', /end-of-string/],
])('refused: %s', (_title, hex, message) => {
  expect(() => new HpackDecoder(16_384).decode(bytes(hex))).toThrow(message);
});

test('a list above its limit is refused, though the block that names one field many times is small', () => {
  const decoder = new HpackDecoder(16_384);
  const value = 'v'.repeat(4000);
  decoder.decode(Buffer.concat([bytes('4001617f'), bytes('a11e'), Buffer.from(value)]));
  expect(() => decoder.decode(bytes('bebebebebe'))).toThrow('a header list of more than 16384 bytes');
});

test('any bytes: fields or a COMPRESSION_ERROR, never anything else', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (blocks) => {
    const decoder = new HpackDecoder(16_384);
    for (const block of blocks) {
      try {
        decoder.decode(block);
      } catch (error) {
        expect(error).toMatchObject({ name: 'Http2Error', code: expect.stringMatching(/COMPRESSION_ERROR|ENHANCE_YOUR_CALM/) });
      }
    }
  }), { numRuns: 2000 });
});

test('what is encoded is decoded, and changes no table', () => {
  const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 });
  const decoder = new HpackDecoder(1 << 20);
  fc.assert(fc.property(fc.array(fc.oneof(fc.record({ name: text, value: text }), fc.constantFrom(...STATIC_TABLE))), (fields) => {
    expect(decoder.decode(encodeFields(fields))).toEqual(fields);
  }));
  expect(() => decoder.decode(bytes('be'))).toThrow('names field 62');
});

test('every symbol that nghttp2 encodes is decoded; the code is complete, so the one left over is what is left', async () => {
  const received: HeaderField[] = [];
  const decoder = new HpackDecoder(1 << 20);
  const reader = new FrameReader({ maxFrameBytes: 1 << 24, maxControlBytes: 1 << 24 }, {
    control: ({ type, flags, payload }) => {
      if (type === FRAME.HEADERS) received.push(...decoder.decode(payload.subarray((flags & FLAG.PRIORITY) === 0 ? 0 : 5)));
    },
    dataBegin: () => undefined, data: () => undefined, place: () => undefined, placed: () => undefined, dataEnd: () => undefined,
  });
  let preface = 24;
  const server = net.createServer((socket) => socket.on('error', () => undefined).on('data', (data: Buffer) => {
    reader.feed(data.subarray(Math.min(preface, data.length)));
    preface -= Math.min(preface, data.length);
  })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = http2.connect(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, { peerMaxConcurrentStreams: 1000 }).on('error', () => undefined);
  // Short codes around the symbol make nghttp2 prefer Huffman. Node passes names and values on as a list that NUL separates.
  const symbols = Array.from({ length: 255 }, (_, i) => i + 1);
  for (const symbol of symbols) client.request({ [`x-${symbol}`]: `eeeeeeee${String.fromCharCode(symbol)}eeeeeeee` }).on('error', () => undefined);
  while (received.filter(({ name }) => name.startsWith('x-')).length < symbols.length) await new Promise((resolve) => setImmediate(resolve));
  client.destroy();
  server.close();
  for (const symbol of symbols) {
    expect(received.find(({ name }) => name === `x-${symbol}`)?.value).toBe(`eeeeeeee${String.fromCharCode(symbol)}eeeeeeee`);
  }
  expect(huffmanCodes().reduce((sum, { bits }) => sum + 2 ** -bits, 0)).toBe(1);
  expect(decodeHuffman(bytes('ffc7'))).toBe('\0');
});
