// Our end of a pull against gRPC's C core, by Python's grpcio.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { RpcError } from '@lockstep/rpc';
import { contractClaim, contractHeader, CONTRACT_MESSAGE_BYTES, RecordedPull } from '../testing/transport-contract';
import { ChunkMessage } from '../wire/chunk-message';
import { HEADER_BYTES } from '../wire/chunk-header';
import { encodePull } from '../wire/exchange-service';
import { GrpcTransport } from './grpc-transport';
import type { IncomingPull } from './transport';

const python = process.env['LOCKSTEP_PYTHON'];
const missing = python ? undefined : `LOCKSTEP_PYTHON names no Python with grpcio: ${process.env['LOCKSTEP_PYTHON_MISSING'] ?? 'run npm run test:interop'}`;
const transport = new GrpcTransport({ windowBytes: 1 << 24, maxMessageBytes: CONTRACT_MESSAGE_BYTES });
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts the peer; its words come one by one. */
function peer(args: readonly string[]): { say: (line: string) => void; next: () => Promise<Readonly<Record<string, unknown>>> } {
  const child = spawn(python ?? '', [path.resolve(__dirname, '..', '..', 'src', 'testing', 'grpcio_peer.py'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    say: (line) => void child.stdin.write(`${line}\n`),
    next: async () => {
      const line = await lines.next();
      if (line.done === true) throw new Error('the Python process has ended');
      return JSON.parse(line.value) as Readonly<Record<string, unknown>>;
    },
  };
}

async function clientOf(pulls: number, onPull: (pull: IncomingPull) => void): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const listener = await transport.listen('127.0.0.1', 0, onPull);
  const { next } = peer(['client', `127.0.0.1:${listener.port}`, encodePull(contractClaim).toString('hex'), String(pulls)]);
  const words: Readonly<Record<string, unknown>>[] = [];
  for (let i = 0; i < pulls; i++) words.push(await next());
  await listener.close();
  return words;
}

const payloads = [0, 8, 70_001, 1 << 20, 1 << 20, 5].map((length, i) => Buffer.alloc(length, i + 1));
const checksum = payloads.reduce((total, payload) => total + payload.reduce((sum, byte) => sum + byte, 0), 0) % 1_000_003;

(missing === undefined ? describe : describe.skip)(`against grpcio${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test('it pulls from us, several calls on one connection', async () => {
    const claims: unknown[] = [];
    const words = await clientOf(3, (pull) => {
      claims.push(pull.claim);
      const stream = pull.admit();
      for (const payload of payloads) stream.send(new ChunkMessage(contractHeader, payload));
      stream.end();
    });
    expect(claims).toEqual(Array(3).fill(expect.objectContaining({ job: contractClaim.job, generation: contractClaim.generation, worldSize: contractClaim.worldSize })));
    expect(words).toEqual(Array(3).fill({ kind: 'END', lengths: payloads.map(({ length }) => HEADER_BYTES + length), checksum }));
  });

  test('it gets a refusal with code, message and details', async () => {
    const error = new RpcError('FAILED_PRECONDITION', '100 % over — génération 7', { reason: 'FENCED' });
    const details = error.toStatus().metadata?.get('grpc-status-details-bin')[0];
    expect(await clientOf(1, (pull) => pull.refuse(error))).toEqual([{ kind: 'ERROR', code: 'FAILED_PRECONDITION', message: error.message, details: Buffer.from(details ?? '').toString('hex') }]);
  });

  test('we pull from it: chunks, the end, an error', async () => {
    const { say, next } = peer(['server']);
    say(payloads.map((payload) => new ChunkMessage(contractHeader, payload).toBuffer().toString('hex')).join(' '));
    const { port } = await next();
    const address = `127.0.0.1:${String(port)}`;
    const pulled = new RecordedPull(transport, address);
    expect(await pulled.closed).toBeUndefined();
    expect(pulled.chunks.map(({ header }) => header)).toEqual(payloads.map(() => contractHeader));
    expect(pulled.chunks.map(({ payload }, i) => Buffer.compare(payload, payloads[i] ?? Buffer.alloc(0)))).toEqual(payloads.map(() => 0));
    const nobody = { job: '', generation: 0n, rank: 0, worldSize: 0, targetRank: 0, token: new Uint8Array(0) };
    const refused = await new RecordedPull(transport, address, nobody).closed;
    expect([refused?.code, refused?.message]).toEqual(['FAILED_PRECONDITION', 'génération 100 % over']);
  });
});
