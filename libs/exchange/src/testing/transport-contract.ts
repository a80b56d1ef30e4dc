/** What every transport promises. Runs inside a spec file: it defines tests. */
import { once } from 'node:events';
import net from 'node:net';
import { RpcError } from '@lockstep/rpc';
import type { ChunkStream, IncomingPull, Listener, OutgoingPull, Transport } from '../transport/transport';
import type { ChunkHeader } from '../wire/chunk-header';
import { ChunkMessage } from '../wire/chunk-message';
import type { PullClaim } from '../wire/exchange-service';

/** What a transport under test is made of. */
export interface TransportFixture {
  /** Serves pulls. */
  readonly server: Transport;
  /** Pulls. Takes messages up to CONTRACT_MESSAGE_BYTES. */
  readonly client: Transport;
  /** Whether there are sockets: ports, and a limit on messages. */
  readonly network: boolean;
  /** Whether abort() drops what is queued and wireBytesSent() counts: a foreign server does neither. */
  readonly ownServer: boolean;
}

export const CONTRACT_MESSAGE_BYTES = 1 << 21;

export const contractClaim: PullClaim = { job: 'jobs/a', generation: 7n, rank: 1, worldSize: 2, targetRank: 0, token: Buffer.from('t') };
export const contractHeader: ChunkHeader = { generation: 7n, position: { call: 0, epoch: 0, phase: 'EVAL', step: 1 }, round: 1, bucket: 0, bucketBytes: 1 << 20, offset: 0, node: 1 };

/** A pull that remembers what came. */
export class RecordedPull {
  readonly chunks: { readonly header: ChunkHeader; readonly payload: Uint8Array }[] = [];
  readonly malformed: string[] = [];
  /** Events in words, in order. */
  readonly log: string[] = [];
  readonly admitted: Promise<void>;
  readonly closed: Promise<RpcError | undefined>;
  private arriving: { readonly header: ChunkHeader; readonly payload: Uint8Array } | undefined;
  private readonly arrivals: (() => void)[] = [];
  readonly pull: OutgoingPull;

  /** @param skew bytes by which places are off an 8-byte boundary */
  constructor(transport: Transport, address: string, claim: PullClaim = contractClaim, skew = 0) {
    let admit: () => void = () => undefined;
    let close: (cause: RpcError | undefined) => void = () => undefined;
    this.admitted = new Promise((resolve) => { admit = resolve; });
    this.closed = new Promise((resolve) => { close = resolve; });
    this.pull = transport.pull(address, claim, {
      admitted: () => {
        this.log.push('admitted');
        admit();
      },
      chunk: (header, bytes) => {
        this.arriving = { header, payload: new Uint8Array(new SharedArrayBuffer(bytes + 8), skew, bytes) };
        return this.arriving.payload;
      },
      filled: () => {
        if (!this.arriving) throw new Error('filled() without chunk()');
        this.chunks.push(this.arriving);
        this.log.push('chunk');
        this.arriving = undefined;
        for (const arrived of this.arrivals.splice(0)) arrived();
      },
      malformed: (what) => this.malformed.push(what),
      closed: (cause) => {
        this.log.push('closed');
        close(cause);
      },
    });
  }

  /** Resolves when so many chunks have come. */
  async count(wanted: number): Promise<void> {
    while (this.chunks.length < wanted) await new Promise<void>((resolve) => this.arrivals.push(resolve));
  }
}

/** A port that answers to nobody. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Time for others to go on, if they can: turns of the event loop with traffic of their own. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    await once(net.connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1').resume(), 'close');
    await new Promise((resolve) => server.close(resolve));
  }
}

export function transportContract(name: string, makeFixture: () => TransportFixture): void {
  describe(name, () => {
    const { server, client, network, ownServer } = makeFixture();
    const open: { listeners: Listener[]; pulls: OutgoingPull[] } = { listeners: [], pulls: [] };
    type Case = (title: string, run: () => Promise<void>) => void;
    const onNetwork: Case = network ? test : () => undefined;
    const onOwnServer: Case = ownServer ? test : () => undefined;
    const onOwnSockets: Case = network && ownServer ? test : () => undefined;

    afterEach(async () => {
      for (const pull of open.pulls.splice(0)) pull.cancel();
      await Promise.all(open.listeners.splice(0).map((listener) => listener.close()));
    });

    async function serve(): Promise<{ address: string; listener: Listener; next: () => Promise<IncomingPull> }> {
      const waiting: ((pull: IncomingPull) => void)[] = [];
      const arrived: IncomingPull[] = [];
      const listener = await server.listen('127.0.0.1', 0, (pull) => {
        const resolve = waiting.shift();
        if (resolve) resolve(pull);
        else arrived.push(pull);
      });
      open.listeners.push(listener);
      const next = (): Promise<IncomingPull> => {
        const pull = arrived.shift();
        return pull ? Promise.resolve(pull) : new Promise((resolve) => waiting.push(resolve));
      };
      return { address: `127.0.0.1:${listener.port}`, listener, next };
    }

    function pullFrom(address: string, claim = contractClaim, skew = 0): RecordedPull {
      const pulled = new RecordedPull(client, address, claim, skew);
      open.pulls.push(pulled.pull);
      return pulled;
    }

    async function connect(skew = 0): Promise<{ pulled: RecordedPull; stream: ChunkStream; incoming: IncomingPull; listener: Listener }> {
      const { address, next, listener } = await serve();
      const pulled = pullFrom(address, contractClaim, skew);
      const incoming = await next();
      const stream = incoming.admit();
      await pulled.admitted;
      return { pulled, stream, incoming, listener };
    }

    test.each([[0], [4]])('the claim and all chunks arrive, in order and unchanged, at places %i bytes off', async (skew) => {
      const { pulled, stream, incoming } = await connect(skew);
      expect(incoming.claim).toMatchObject({ ...contractClaim, token: new Uint8Array(contractClaim.token) });
      const payloads = [0, 8, 1, 4096, 70_001, 1 << 20, 0, 3].map((length, i) => Buffer.alloc(length, `chunk ${i}`));
      let sent = 0;
      payloads.forEach((payload, i) => {
        const before = sent;
        stream.send(new ChunkMessage({ ...contractHeader, offset: i * 8 }, payload, () => { sent++; }));
        expect(sent).toBe(before);
      });
      stream.end();
      expect(await pulled.closed).toBeUndefined();
      expect(sent).toBe(payloads.length);
      expect(pulled.chunks.map(({ header }) => header)).toEqual(payloads.map((_, i) => ({ ...contractHeader, offset: i * 8 })));
      pulled.chunks.forEach(({ payload }, i) => expect([i, Buffer.compare(payload, payloads[i] ?? Buffer.alloc(0))]).toEqual([i, 0]));
      expect(pulled.log).toEqual(['admitted', ...payloads.map(() => 'chunk'), 'closed']);
    });

    test('the sender hears that the pull is over when all was taken', async () => {
      const { pulled, stream, incoming } = await connect();
      const over = new Promise<void>((resolve) => incoming.onClosed(resolve));
      for (let i = 0; i < 4; i++) stream.send(new ChunkMessage(contractHeader, Buffer.alloc(1 << 20)));
      stream.end();
      await over;
      expect(await pulled.closed).toBeUndefined();
      expect(pulled.chunks).toHaveLength(4);
      await new Promise<void>((resolve) => incoming.onClosed(resolve));
    });

    test('a refusal keeps code, message and details', async () => {
      const { address, next } = await serve();
      const pulled = pullFrom(address);
      const error = new RpcError('FAILED_PRECONDITION', '100 % over — génération 7\nis gone', { reason: 'FENCED', metadata: { generation: '8' } });
      (await next()).refuse(error);
      const cause = await pulled.closed;
      expect([cause?.code, cause?.message, cause?.details]).toEqual([error.code, error.message, error.details]);
      expect(pulled.log).toEqual(['closed']);
    });

    test('abort says why', async () => {
      const { pulled, stream } = await connect();
      stream.send(new ChunkMessage(contractHeader, Buffer.alloc(100)));
      await pulled.count(1);
      stream.abort(new RpcError('FAILED_PRECONDITION', 'over', { reason: 'FENCED' }));
      expect((await pulled.closed)?.details.reason).toBe('FENCED');
    });

    onOwnServer('abort drops what is queued', async () => {
      const { pulled, stream } = await connect();
      pulled.pull.pause();
      for (let i = 0; i < 500; i++) stream.send(new ChunkMessage(contractHeader, Buffer.alloc(1 << 20)));
      stream.abort(new RpcError('FAILED_PRECONDITION', 'over', { reason: 'FENCED' }));
      pulled.pull.resume();
      expect((await pulled.closed)?.details.reason).toBe('FENCED');
      expect(pulled.chunks.length).toBeLessThan(500);
    });

    test('a paused pull holds the sender back, and goes on', async () => {
      const { pulled, stream } = await connect();
      stream.send(new ChunkMessage(contractHeader, Buffer.alloc(8)));
      await pulled.count(1);
      pulled.pull.pause();
      let sent = 0;
      const all = 100;
      for (let i = 0; i < all; i++) stream.send(new ChunkMessage({ ...contractHeader, offset: i }, Buffer.alloc(1 << 20, i), () => { sent++; }));
      await turns();
      expect(sent).toBeLessThan(all);
      pulled.pull.resume();
      await pulled.count(1 + all);
      await turns();
      expect(sent).toBe(all);
      expect(pulled.chunks.slice(1).every(({ header, payload }, i) => header.offset === i && payload[0] === i && payload[payload.length - 1] === i)).toBe(true);
    });

    test('the sender learns that the puller is gone, and the puller hears nothing more', async () => {
      const { pulled, stream, incoming } = await connect();
      const gone = new Promise<void>((resolve) => incoming.onClosed(resolve));
      for (let i = 0; i < 50; i++) stream.send(new ChunkMessage(contractHeader, Buffer.alloc(1 << 20)));
      pulled.pull.cancel();
      const heard = pulled.log.length;
      await gone;
      await turns();
      expect(pulled.log).toHaveLength(heard);
    });

    test('a puller that cancels before it is answered is gone too', async () => {
      const { address, next } = await serve();
      const pulled = pullFrom(address);
      const incoming = await next();
      pulled.pull.cancel();
      await new Promise<void>((resolve) => incoming.onClosed(resolve));
      incoming.refuse(new RpcError('UNAVAILABLE', 'too late'));
    });

    onNetwork('the puller learns that the sender is gone', async () => {
      const { pulled, listener } = await connect();
      await listener.close();
      expect((await pulled.closed)?.code).toMatch(/UNAVAILABLE|CANCELLED|INTERNAL/);
    });

    onNetwork('nobody listens: the address is named', async () => {
      const port = await freePort();
      const cause = await pullFrom(`127.0.0.1:${port}`).closed;
      expect([cause?.code, cause?.message]).toEqual(['UNAVAILABLE', expect.stringContaining(`127.0.0.1:${port}`)]);
    });

    onNetwork('a message above the limit ends the pull', async () => {
      const { pulled, stream, incoming } = await connect();
      const gone = new Promise<void>((resolve) => incoming.onClosed(resolve));
      stream.send(new ChunkMessage(contractHeader, Buffer.alloc(8)));
      stream.send(new ChunkMessage(contractHeader, Buffer.alloc(CONTRACT_MESSAGE_BYTES)));
      expect((await pulled.closed)?.code).toBe('RESOURCE_EXHAUSTED');
      expect(pulled.chunks).toHaveLength(1);
      await gone;
    });

    test('pulls do not disturb each other', async () => {
      const { address, next } = await serve();
      const pulls = [1, 2, 3].map((rank) => pullFrom(address, { ...contractClaim, rank }));
      const incoming = [await next(), await next(), await next()];
      for (const one of incoming) {
        const stream = one.admit();
        const payload = Buffer.alloc(300_000, one.claim.rank);
        for (let i = 0; i < 10; i++) stream.send(new ChunkMessage({ ...contractHeader, node: one.claim.rank }, payload));
        if (one.claim.rank === 2) stream.abort(new RpcError('ABORTED', 'second'));
        else stream.end();
      }
      expect((await Promise.all(pulls.map(({ closed }) => closed))).map((cause) => cause?.message)).toEqual([undefined, 'second', undefined]);
      for (const rank of [1, 3]) {
        const { chunks = [] } = pulls[rank - 1] ?? {};
        expect(chunks).toHaveLength(10);
        expect(chunks.every(({ header, payload }) => header.node === rank && payload.every((byte) => byte === rank))).toBe(true);
      }
    });

    onOwnSockets('the sockets count what they write', async () => {
      const { pulled, stream, listener } = await connect();
      const before = listener.wireBytesSent();
      for (let i = 0; i < 8; i++) stream.send(new ChunkMessage(contractHeader, Buffer.alloc(1 << 20)));
      await pulled.count(8);
      const written = listener.wireBytesSent() - before;
      expect(written).toBeGreaterThanOrEqual(8 * ((1 << 20) + 64));
      expect(written).toBeLessThan(8 * (1 << 20) * 1.01);
    });
  });
}
