import { HEADER_BYTES } from './chunk-header';
import { ChunkMessage } from './chunk-message';

const header = { generation: 1n, position: { call: 0, epoch: 0, phase: 'TRAIN', step: 0 }, round: 1, bucket: 0, bucketBytes: 24, offset: 8, node: 1 } as const;

test('the head is gRPC\'s prefix, not compressed, with the length of the whole message, and the header', () => {
  const message = new ChunkMessage(header, Buffer.from('sixteen payloads'));
  const head = message.head();
  expect([head[0], head.readUInt32BE(1), head.length]).toEqual([0, HEADER_BYTES + 16, 64]);
  expect(Buffer.concat([head.subarray(5), message.payload])).toEqual(message.toBuffer());
});
