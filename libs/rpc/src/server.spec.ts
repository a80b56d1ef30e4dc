import { dirname, join } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { CoordinatorService, JobEventSchema, SessionService, type AgentMessage } from '@lockstep/contract';
import { createClient, createLogger, implement, openChannel, RpcError, startServer, type Channel, type RunningServer, type ServiceImplementation } from './index';

const unused = (): never => { throw new RpcError('UNIMPLEMENTED', 'not part of this test'); };
const seen: { aborted?: Promise<void>; written: number } = { written: 0 };

const coordinator: ServiceImplementation<typeof CoordinatorService> = {
  createTrainJob: () => { throw RpcError.badRequest([{ field: 'spec.module', description: 'is required' }, { field: 'spec.workers.max', description: 'is larger than V' }]); },
  getTrainJob: (request) => ({ name: request.name, spec: { seed: 2n ** 63n, replicas: 4 } }),
  listTrainJobs: () => { throw new TypeError('a bug'); },
  cancelTrainJob: () => { throw new RpcError('FAILED_PRECONDITION', 'old generation', { reason: 'FENCED', resource: { type: 'Job', name: 'jobs/a' }, retryAfterMs: 1500, metadata: { generation: '7' } }); },
  async *watchJob(request, context) {
    seen.aborted = new Promise((resolve) => context.signal.addEventListener('abort', () => resolve()));
    for (let i = 0; !context.signal.aborted; i++) {
      await Promise.resolve();
      seen.written = i;
      yield create(JobEventSchema, { sequence: BigInt(i), job: request.name.repeat(10_000) });
    }
  },
  listWorkers: unused,
  listShardTables: unused,
};
const sessions: ServiceImplementation<typeof SessionService> = {
  async *attach(messages) {
    for await (const { message } of messages) {
      if (message.case === 'register') yield { command: { case: 'registered', value: { leaseMs: message.value.pid, heartbeatIntervalMs: 1 } } };
    }
  },
  join: unused,
};

interface ReflectionReply {
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto?: readonly Uint8Array[] };
  readonly errorResponse?: { readonly errorCode: number };
  readonly listServicesResponse?: { readonly service?: readonly { readonly name: string }[] };
}

let server: RunningServer;
let channel: Channel;
const logger = createLogger('rpc-test', 'silent');
beforeAll(async () => {
  server = await startServer({ listen: '127.0.0.1:0', logger, services: [implement(CoordinatorService, coordinator), implement(SessionService, sessions)], maxMessageBytes: 1 << 20 });
  channel = openChannel(server.address);
});
afterAll(async () => {
  channel.close();
  await server.drain(1000);
});
const client = () => createClient(CoordinatorService, channel);
const failure = (promise: Promise<unknown>): Promise<RpcError> => promise.then(() => { throw new Error('the call succeeded'); }, (e: unknown) => RpcError.from(e));

test('a unary call carries 64-bit numbers exactly', async () => {
  const job = await client().getTrainJob({ name: 'jobs/x' });
  expect(job.name).toBe('jobs/x');
  expect(job.spec?.seed).toBe(2n ** 63n);
});

test('all faulty fields arrive in one answer', async () => {
  const error = await failure(client().createTrainJob({}));
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(error.details.fieldViolations).toEqual([
    { field: 'spec.module', description: 'is required' }, { field: 'spec.workers.max', description: 'is larger than V' }]);
});

test('reason, resource, metadata and retry delay survive the wire', async () => {
  const error = await failure(client().cancelTrainJob({ name: 'jobs/a' }));
  expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: 'old generation' });
  expect(error.details).toEqual({ reason: 'FENCED', metadata: { generation: '7' }, resource: { type: 'Job', name: 'jobs/a' }, retryAfterMs: 1500 });
});

test('an error that nobody maps is INTERNAL and names the method', async () => {
  const error = await failure(client().listTrainJobs({}));
  expect(error.code).toBe('INTERNAL');
  expect(error.message).toContain('ListTrainJobs');
});

test('a reader that stops slows its stream, and leaving aborts the handler', async () => {
  let last = -1n;
  for await (const event of client().watchJob({ name: 'jobs/y' })) {
    last = event.sequence;
    if (last === 3n) break;
  }
  expect(last).toBe(3n);
  await seen.aborted;
  expect(seen.written).toBeLessThan(1000); // the generator yields for ever: only back-pressure keeps it near the reader
});

test('a bidirectional stream answers while it is open', async () => {
  async function* messages(): AsyncGenerator<{ message: AgentMessage['message'] }> {
    await Promise.resolve();
    for (const pid of [1, 2]) yield { message: { case: 'register', value: { $typeName: 'lockstep.coordinator.v1.AgentRegister', worker: 'w', host: 'h', pid, version: '1' } } };
  }
  const leases: number[] = [];
  for await (const { command } of createClient(SessionService, channel).attach(messages())) {
    if (command.case === 'registered') leases.push(command.value.leaseMs);
  }
  expect(leases).toEqual([1, 2]);
});

test('a message over the limit is RESOURCE_EXHAUSTED', async () => {
  const error = await failure(client().getTrainJob({ name: 'x'.repeat(2 << 20) }));
  expect(error.code).toBe('RESOURCE_EXHAUSTED');
});

test('reflection gives whole files, with what they import', async () => {
  const folder = join(dirname(require.resolve('@grpc/reflection/package.json')), 'build', 'proto', 'grpc', 'reflection', 'v1', 'reflection.proto');
  const { ServerReflectionInfo: method } = loadSync(folder, { oneofs: true })['grpc.reflection.v1.ServerReflection'] as unknown as Record<string, MethodDefinition<object, ReflectionReply>>;
  if (!method) throw new Error('no reflection');
  const call = channel.client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  const replies: ReflectionReply[] = [];
  for (const symbol of ['lockstep.coordinator.v1.TrainJobSpec', 'google.rpc.BadRequest', 'no.such.Thing']) call.write({ fileContainingSymbol: symbol });
  call.end({ listServices: '' });
  for await (const reply of call as AsyncIterable<ReflectionReply>) replies.push(reply);
  const files = replies.map((r) => (r.fileDescriptorResponse?.fileDescriptorProto ?? []).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)));
  for (const whole of files) {
    const names = new Set(whole.map((f) => f.name));
    for (const file of whole) for (const needed of file.dependency) expect(names).toContain(needed);
  }
  expect(files[0]?.map((f) => f.name)).toEqual(expect.arrayContaining(['lockstep/coordinator/v1/job.proto', 'google/protobuf/duration.proto']));
  expect(files[1]?.[0]?.name).toBe('google/rpc/error_details.proto');
  expect(replies[2]?.errorResponse?.errorCode).toBe(5);
  expect(replies[3]?.listServicesResponse?.service?.map((s) => s.name)).toEqual(['grpc.health.v1.Health', 'lockstep.coordinator.v1.CoordinatorService', 'lockstep.coordinator.v1.SessionService']);
});

test('a taken port is named', async () => {
  const error = await failure(startServer({ listen: server.address, logger, services: [] }));
  expect(error.details.reason).toBe('ADDRESS_IN_USE');
  expect(error.message).toContain(server.address);
});

test('an unreachable service is named by its address', async () => {
  const nobody = openChannel('127.0.0.1:1');
  const error = await failure(createClient(CoordinatorService, nobody).getTrainJob({ name: 'x' }, { timeoutMs: 5000 }));
  nobody.close();
  expect(error.code).toBe('UNAVAILABLE');
  expect(error.message).toContain('127.0.0.1:1');
});

test('drain ends open streams and lets the process go', async () => {
  const own = await startServer({ listen: '127.0.0.1:0', logger, services: [implement(CoordinatorService, coordinator)] });
  const ownChannel = openChannel(own.address);
  const stream = createClient(CoordinatorService, ownChannel).watchJob({ name: 'z' })[Symbol.asyncIterator]();
  expect((await stream.next()).done).toBe(false);
  await own.drain(2000);
  ownChannel.close();
  const rest: boolean[] = [];
  try {
    for (let r = await stream.next(); !r.done; r = await stream.next()) rest.push(true);
  } catch (e) {
    expect(RpcError.from(e).code).toBe('UNAVAILABLE');
  }
  expect(rest.length).toBeLessThan(1000);
});
