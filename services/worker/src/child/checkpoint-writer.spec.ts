import { create } from '@bufbuild/protobuf';
import { CheckpointPolicySchema, VersionSchema, type CheckpointWritten } from '@lockstep/contract';
import type { FileSource, PutOptions, PutResult } from '@lockstep/client';
import { CheckpointWriter } from './checkpoint-writer';
import { decodeJobState, digestOf } from './job-state-file';

/** One put on its way. */
interface Put {
  readonly file: FileSource | undefined;
  readonly options: PutOptions;
  readonly done: (version: string) => Promise<void>;
  readonly failed: (message: string) => Promise<void>;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function world(policy: Parameters<typeof create<typeof CheckpointPolicySchema>>[1] | undefined, chief = true) {
  const puts: Put[] = [];
  const written: CheckpointWritten[] = [];
  const failures: string[] = [];
  const clock = { nowMs: 0, generation: 1, steps: 0, writes: chief };
  const stateAt = (step: number): Buffer => Buffer.from(`state after ${step}`);
  const writer = new CheckpointWriter({
    job: 'jobs/1', policy: policy && create(CheckpointPolicySchema, policy), nowMs: () => clock.nowMs, generation: () => clock.generation,
    state: () => ({ bytes: stateAt(clock.steps), digest: digestOf(stateAt(clock.steps)) }),
    onWritten: (checkpoint) => written.push(checkpoint), onFailed: (e) => failures.push(e instanceof Error ? e.message : String(e)),
    artifacts: { putFiles: ([file], options) => new Promise<PutResult>((resolve, reject) => {
      puts.push({ file, options,
        done: (name) => { resolve({ version: create(VersionSchema, { name }), created: true, uploadedBytes: 1 }); return settled(); },
        failed: (message) => { reject(new Error(message)); return settled(); } });
    }) },
  });
  const step = (): void => {
    clock.steps++;
    writer.stepDone({ call: 0, epoch: 1, phase: 'TRAIN', step: clock.steps }, clock.steps, clock.writes);
  };
  return { writer, puts, written, failures, clock, step };
}

/** The bytes that a put uploads. */
async function bytesOf({ file }: Put): Promise<Uint8Array> {
  if (!file) throw new Error('a checkpoint is one file');
  const pieces: Uint8Array[] = [];
  const reader = await file.open();
  try {
    for (let at = 0; at < file.sizeBytes;) {
      const piece = await reader.read(at, file.sizeBytes - at);
      pieces.push(piece);
      at += piece.length;
    }
  } finally {
    await reader.close();
  }
  return Buffer.concat(pieces);
}

test('is due every so many steps; what is written is the state after that step, under its generation', async () => {
  const { step, puts, written, clock } = world({ everySteps: 3 });
  for (let i = 0; i < 3; i++) step();
  expect(puts).toHaveLength(1);
  const [put] = puts;
  if (!put) throw new Error('one was due');
  expect(put.options).toMatchObject({ artifact: 'artifacts/jobs-1-checkpoints', type: 'Checkpoint', fence: { job: 'jobs/1', generation: 1 } });
  clock.generation = 2; // formed while it is on its way: the artifact service decides
  const bytes = await bytesOf(put);
  expect(decodeJobState({ bytes, digest: digestOf(bytes) })).toMatchObject({ steps: 3, state: { digest: digestOf(Buffer.from('state after 3')) } });
  await put.done('artifacts/jobs-1-checkpoints/versions/1');
  expect(written).toMatchObject([{ version: 'artifacts/jobs-1-checkpoints/versions/1', steps: 3n, stateDigest: digestOf(Buffer.from('state after 3')), position: { epoch: 1, step: 3 } }]);
  for (let i = 0; i < 3; i++) step();
  expect(puts).toHaveLength(2);
  expect(puts[1]?.options.requestId).not.toBe(put.options.requestId);
});

test.each([
  ['by time', { interval: { seconds: 1n, nanos: 500_000_000 } }, [1499, 1], [0, 1]],
  ['by whichever comes first', { everySteps: 2, interval: { seconds: 10n } }, [0, 0, 10_000], [0, 1, 2]],
  ['never, with neither', { everySteps: 0 }, [1e9, 1e9], [0, 0]],
  ['never, without a policy', undefined, [1e9], [0]],
])('is due %s', async (_what, policy, waitsMs, counts) => {
  const { step, puts, clock } = world(policy);
  for (const [i, ms] of waitsMs.entries()) {
    clock.nowMs += ms;
    step();
    expect(puts).toHaveLength(counts[i] ?? NaN);
    await puts.at(-1)?.done('v');
  }
});

test('at most one is on its way; what falls due meanwhile is written at the next step after it', async () => {
  const { step, puts } = world({ everySteps: 2 });
  for (let i = 0; i < 6; i++) step();
  expect(puts).toHaveLength(1);
  await puts[0]?.done('v1');
  expect(puts).toHaveLength(1);
  step();
  expect(puts).toHaveLength(2);
  expect(decodeJobState({ bytes: await bytesOf(puts[1] as Put), digest: digestOf(await bytesOf(puts[1] as Put)) }).steps).toBe(7);
});

test('a failure costs that checkpoint; the next one is tried', async () => {
  const { step, puts, failures, written } = world({ everySteps: 1 });
  step();
  await puts[0]?.failed('the artifact service is not there');
  step();
  await puts[1]?.done('v2');
  expect([failures, written.map((c) => [c.version, c.steps])]).toEqual([['the artifact service is not there'], [['v2', 2n]]]);
});

test('who does not write keeps the same count, and owes nothing when its turn comes', async () => {
  const { step, puts, clock } = world({ everySteps: 3 }, false);
  for (let i = 0; i < 4; i++) step();
  clock.writes = true;
  step();
  expect(puts).toHaveLength(0);
  step();
  expect(puts).toHaveLength(1);
  await puts[0]?.done('v');
});

test('the same state of the same step is the same request, whoever writes it', async () => {
  const ids = [world({ everySteps: 1 }), world({ everySteps: 1 })].map(({ step, puts, clock }, i) => {
    clock.generation = i + 1;
    step();
    return puts[0]?.options.requestId;
  });
  expect(ids[0]).toBeDefined();
  expect(ids[1]).toBe(ids[0]);
  await settled();
});

test('settled waits for what is on its way', async () => {
  const { writer, step, puts, written } = world({ everySteps: 1 });
  step();
  const end = writer.settled().then(() => written.length);
  await settled();
  await puts[0]?.done('v');
  expect(await end).toBe(1);
});
