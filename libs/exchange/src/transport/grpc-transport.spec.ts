import { once } from 'node:events';
import net from 'node:net';
import { RpcError } from '@lockstep/rpc';
import { HEADER_BYTES, readChunk, type ChunkHeader } from '../wire/chunk-header';
import { ChunkMessage } from '../wire/chunk-message';
import type { PullClaim } from '../wire/exchange-service';
import { GrpcTransport } from './grpc-transport';
import type { ChunkStream, IncomingPull, Listener, OutgoingPull } from './transport';

const claim: PullClaim = { job: 'jobs/a', generation: 7n, rank: 1, worldSize: 2, targetRank: 0, token: Buffer.from('t') };
const header: ChunkHeader = { generation: 7n, position: { call: 0, epoch: 0, phase: 'EVAL', step: 1 }, round: 1, bucket: 0, bucketBytes: 1 << 20, offset: 0, node: 1 };
const open: { listeners: Listener[]; pulls: OutgoingPull[] } = { listeners: [], pulls: [] };

afterEach(async () => {
  for (const pull of open.pulls.splice(0)) pull.cancel();
  await Promise.all(open.listeners.splice(0).map((listener) => listener.close()));
});

interface Pulled {
  readonly pull: OutgoingPull;
  readonly messages: Buffer[];
  readonly admitted: Promise<void>;
  readonly closed: Promise<RpcError | undefined>;
  /** Resolves when so many messages have come. */
  count(messages: number): Promise<void>;
}

function pullFrom(transport: GrpcTransport, port: number): Pulled {
  const messages: Buffer[] = [];
  const arrivals: (() => void)[] = [];
  let admit = (): void => undefined;
  let close: (cause: RpcError | undefined) => void = () => undefined;
  const admitted = new Promise<void>((resolve) => { admit = resolve; });
  const closed = new Promise<RpcError | undefined>((resolve) => { close = resolve; });
  const pull = transport.pull(`127.0.0.1:${port}`, claim, {
    admitted: admit,
    chunk: (message) => {
      messages.push(message);
      for (const arrived of arrivals.splice(0)) arrived();
      return 'KEPT';
    },
    closed: close,
  });
  open.pulls.push(pull);
  const count = async (wanted: number): Promise<void> => {
    while (messages.length < wanted) await new Promise<void>((resolve) => arrivals.push(resolve));
  };
  return { pull, messages, admitted, closed, count };
}

async function serve(transport: GrpcTransport): Promise<{ port: number; listener: Listener; next: Promise<IncomingPull> }> {
  let arrive: (pull: IncomingPull) => void = () => undefined;
  const next = new Promise<IncomingPull>((resolve) => { arrive = resolve; });
  const listener = await transport.listen('127.0.0.1', 0, (pull) => arrive(pull));
  open.listeners.push(listener);
  return { port: listener.port, listener, next };
}

async function connect(directCopy: boolean): Promise<{ pulled: Pulled; stream: ChunkStream; incoming: IncomingPull; listener: Listener }> {
  const transport = new GrpcTransport({ windowBytes: 1 << 24, maxMessageBytes: 1 << 21, directCopy });
  const { port, next, listener } = await serve(transport);
  const pulled = pullFrom(transport, port);
  const incoming = await next;
  const stream = incoming.admit();
  await pulled.admitted;
  return { pulled, stream, incoming, listener };
}

describe.each([[true], [false]])('direct copy: %p', (directCopy) => {
  test('the claim arrives, chunks arrive in order, unchanged, aligned to 8 bytes', async () => {
    const { pulled, stream, incoming } = await connect(directCopy);
    expect(incoming.claim).toMatchObject({ ...claim, token: new Uint8Array(claim.token) });
    const payloads = [0, 8, 4096, 1 << 20].map((length, i) => Buffer.alloc(length, i + 1));
    let serialised = 0;
    payloads.forEach((payload, i) => stream.send(new ChunkMessage({ ...header, offset: i * 8 }, payload, () => { serialised++; })));
    stream.end();
    expect(await pulled.closed).toBeUndefined();
    expect(serialised).toBe(payloads.length);
    expect(pulled.messages).toHaveLength(payloads.length);
    pulled.messages.forEach((message, i) => {
      const chunk = readChunk(message);
      expect(chunk.header).toEqual({ ...header, offset: i * 8 });
      expect(Buffer.compare(chunk.payload, payloads[i] ?? Buffer.alloc(0))).toBe(0);
      expect((message.byteOffset + HEADER_BYTES) % 8).toBe(0);
    });
  });
});

test('the sockets count what they write', async () => {
  const { pulled, stream, listener } = await connect(true);
  const before = listener.wireBytesSent();
  for (let i = 0; i < 8; i++) stream.send(new ChunkMessage(header, Buffer.alloc(1 << 20)));
  await pulled.count(8);
  const written = listener.wireBytesSent() - before;
  expect(written).toBeGreaterThanOrEqual(8 * ((1 << 20) + 64));
  expect(written).toBeLessThan(8 * (1 << 20) * 1.01);
});

test('a refusal keeps code, message and reason', async () => {
  const transport = new GrpcTransport({ windowBytes: 1 << 24, maxMessageBytes: 1 << 21 });
  const { port, next } = await serve(transport);
  const pulled = pullFrom(transport, port);
  (await next).refuse(new RpcError('FAILED_PRECONDITION', 'generation 7 is over', { reason: 'FENCED' }));
  const error = await pulled.closed;
  expect([error?.code, error?.message, error?.details.reason]).toEqual(['FAILED_PRECONDITION', 'generation 7 is over', 'FENCED']);
});

test('abort drops what is queued and says why', async () => {
  const { pulled, stream } = await connect(true);
  let serialised = 0;
  pulled.pull.pause();
  for (let i = 0; i < 500; i++) stream.send(new ChunkMessage(header, Buffer.alloc(1 << 20), () => { serialised++; }));
  stream.abort(new RpcError('FAILED_PRECONDITION', 'over', { reason: 'FENCED' }));
  pulled.pull.resume();
  expect((await pulled.closed)?.details.reason).toBe('FENCED');
  expect(serialised).toBeLessThan(500);
});

test('a paused pull holds the sender back', async () => {
  const { pulled, stream } = await connect(true);
  stream.send(new ChunkMessage(header, Buffer.alloc(8)));
  await pulled.count(1);
  pulled.pull.pause();
  let serialised = 0;
  const sent = 200;
  for (let i = 0; i < sent; i++) stream.send(new ChunkMessage(header, Buffer.alloc(1 << 20), () => { serialised++; }));
  // A round trip over another connection: time for the sender to go on, if it could.
  for (let i = 0; i < 20; i++) {
    const socket = net.connect((await serveEcho()).port, '127.0.0.1');
    await once(socket, 'close');
  }
  expect(serialised).toBeLessThan(sent);
  pulled.pull.resume();
  await pulled.count(1 + sent);
  expect(serialised).toBe(sent);
});

async function serveEcho(): Promise<{ port: number }> {
  const server = net.createServer((socket) => {
    socket.end();
    server.close();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
}

test('the sender learns that the puller is gone', async () => {
  const { pulled, incoming } = await connect(true);
  const gone = new Promise<void>((resolve) => incoming.onClosed(resolve));
  pulled.pull.cancel();
  await gone;
});

test('the puller learns that the sender is gone', async () => {
  const { pulled, listener } = await connect(true);
  await listener.close();
  expect((await pulled.closed)?.code).toMatch(/UNAVAILABLE|CANCELLED|INTERNAL/);
});

test('a message above the limit ends the pull', async () => {
  const { pulled, stream } = await connect(true);
  stream.send(new ChunkMessage(header, Buffer.alloc(3 << 20)));
  expect((await pulled.closed)?.code).toBe('RESOURCE_EXHAUSTED');
});

test('a taken port is named', async () => {
  const transport = new GrpcTransport({ windowBytes: 1 << 24, maxMessageBytes: 1 << 21 });
  const { port } = await serve(transport);
  await expect(transport.listen('127.0.0.1', port, () => undefined)).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'ADDRESS_IN_USE' }, message: expect.stringContaining(`port ${port} of 127.0.0.1`) });
});
