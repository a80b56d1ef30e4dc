import { version } from '@grpc/grpc-js/package.json';
import { HEADER_BYTES } from './chunk-header';
import { ChunkMessage, DIRECT_COPY, VERSIONS_WITH_DIRECT_COPY } from './chunk-message';

const header = { generation: 1n, position: { call: 0, epoch: 0, phase: 'TRAIN', step: 0 }, round: 1, bucket: 0, bucketBytes: 24, offset: 8, node: 1 } as const;

// A failure here means: read sendMessage and serializeMessage in the new version's server-interceptors, run the benchmark,
// and add the version to VERSIONS_WITH_DIRECT_COPY. Until then messages take the slower, safe way.
test('the installed grpc-js was checked', () => {
  expect(VERSIONS_WITH_DIRECT_COPY).toContain(version);
  expect(DIRECT_COPY).toBe(true);
});

test('copy() writes at an offset what toBuffer() gives, and says once that it has read the payload', () => {
  let serialised = 0;
  const message = new ChunkMessage(header, Buffer.from('sixteen payloads'), () => { serialised++; });
  const target = Buffer.alloc(5 + message.byteLength);
  expect(serialised).toBe(0);
  message.copy(target, 5);
  expect(serialised).toBe(1);
  expect(message.byteLength).toBe(HEADER_BYTES + 16);
  expect(target.subarray(5)).toEqual(new ChunkMessage(header, Buffer.from('sixteen payloads')).toBuffer());
});
