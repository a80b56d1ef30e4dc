// Every transport keeps the same promises, and ours keeps them with a stock grpc-js at the other end.
import { GrpcJsTransport } from '../testing/grpc-js-transport';
import { MemoryNetwork } from '../testing/memory-network';
import { CONTRACT_MESSAGE_BYTES, transportContract } from '../testing/transport-contract';
import { GrpcTransport } from './grpc-transport';

const ours = (windowBytes = 1 << 24): GrpcTransport => new GrpcTransport({ windowBytes, maxMessageBytes: CONTRACT_MESSAGE_BYTES });
const foreign = (): GrpcJsTransport => new GrpcJsTransport(CONTRACT_MESSAGE_BYTES);

transportContract('ours to ours', () => ({ server: ours(), client: ours(), network: true, ownServer: true }));
transportContract('ours to ours, the smallest window', () => ({ server: ours(), client: ours(65_535), network: true, ownServer: true }));
transportContract('grpc-js pulls from ours', () => ({ server: ours(), client: foreign(), network: true, ownServer: true }));
transportContract('ours pulls from grpc-js', () => ({ server: foreign(), client: ours(), network: true, ownServer: false }));
transportContract('in memory', () => {
  const network = new MemoryNetwork(1);
  return { server: network, client: network, network: false, ownServer: true };
});

test('a taken port is named', async () => {
  const listener = await ours().listen('127.0.0.1', 0, () => undefined);
  await expect(ours().listen('127.0.0.1', listener.port, () => undefined)).rejects.toMatchObject({
    code: 'UNAVAILABLE', details: { reason: 'ADDRESS_IN_USE' }, message: expect.stringContaining(`port ${listener.port} of 127.0.0.1`),
  });
  await listener.close();
});

test('an address that is none is refused', () => {
  const events = { admitted: () => undefined, chunk: () => undefined, filled: () => undefined, malformed: () => undefined, closed: () => undefined };
  const claim = { job: '', generation: 1n, rank: 0, worldSize: 1, targetRank: 0, token: new Uint8Array(0) };
  expect(() => ours().pull('worker-1', claim, events)).toThrow('"worker-1" is no host:port');
});
