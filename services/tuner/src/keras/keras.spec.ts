/** KerasTuner's face, spoken to as its workers do: raw calls on a connection. */
import path from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { TunerClient } from '@lockstep/client';
import { kerasTuner, kerasTunerService } from '@lockstep/contract';
import { serviceDefinition } from '@lockstep/rpc';
import { lockDatabase, removeTemporaryFolders } from '@lockstep/storage/testing';
import { failure, serve, SPACE, spec, success, type Served } from '../testing/served';

removeTemporaryFolders();

const { TrialStatus } = kerasTuner;
const ORACLE = serviceDefinition(kerasTunerService.Oracle);

/** A worker's connection. */
class KerasClient {
  private readonly client: Client;

  constructor(address: string, authority?: string) {
    this.client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, ...(authority !== undefined && { 'grpc.default_authority': authority }) });
  }

  call<T extends object>(method: string, request: object): Promise<T> {
    const definition = ORACLE[method];
    if (!definition) throw new Error(`no rpc ${method}`);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(definition.path, definition.requestSerialize, definition.responseDeserialize, request, { deadline: Date.now() + 60_000 },
        (error: ServiceError | null, reply?: object) => (error ? reject(error) : resolve(reply as T)));
    });
  }

  async createTrial(tunerId: string): Promise<kerasTuner.Trial> {
    const { trial } = await this.call<kerasTunerService.CreateTrialResponse>('CreateTrial', { tunerId });
    if (!trial) throw new Error('no trial came');
    return trial;
  }

  update(trialId: string, loss: number, step = 0): Promise<kerasTunerService.UpdateTrialResponse> {
    return this.call('UpdateTrial', { trialId, metrics: { val_loss: loss }, step: BigInt(step) });
  }

  end(trial: kerasTuner.Trial, status: kerasTuner.TrialStatus, hyperparameters = trial.hyperparameters): Promise<object> {
    return this.call('EndTrial', { trial: { trialId: trial.trialId, status, ...(hyperparameters && { hyperparameters }) } });
  }

  async get(trialId: string): Promise<kerasTuner.Trial> {
    const { trial } = await this.call<kerasTunerService.GetTrialResponse>('GetTrial', { trialId });
    if (!trial) throw new Error('no trial came');
    return trial;
  }

  close(): void {
    this.client.close();
  }
}

const plain = (trial: kerasTuner.Trial): Readonly<Record<string, unknown>> => Object.fromEntries(Object.entries(trial.hyperparameters?.values?.values ?? {}).map(([name, { kind }]) => [name, kind.value]));

describe("KerasTuner's face", () => {
  let served: Served;
  const clients: KerasClient[] = [];
  const connect = (at = 0, authority?: string): KerasClient => {
    const client = new KerasClient(served.service.kerasAddresses[at] ?? '', authority);
    clients.push(client);
    return client;
  };
  beforeEach(async () => {
    served = await serve({ kerasTuner: [{ listen: '127.0.0.1:0', study: 'studies/one' }, { listen: '127.0.0.1:0', study: undefined }] });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await served.stop();
  });

  test('a worker searches to the end: the same trial until it ends it, padded ids, scores, STOPPED again and again', async () => {
    await served.client.create(spec({ maxTrials: 12, maxParallelTrials: 1 }), { studyId: 'one' });
    const worker = connect();
    const trial = await worker.createTrial('t');
    expect([trial.trialId, trial.status]).toEqual(['00', TrialStatus.RUNNING]);
    expect((await worker.createTrial('t')).trialId).toBe('00');
    expect((await worker.get('00')).metrics?.metrics).toEqual({});
    await worker.update('00', 0.5, 3);
    const measured = await worker.get('00');
    expect(measured.metrics?.metrics['val_loss']?.observations).toMatchObject([{ value: [0.5], step: 3n }]);
    await worker.end(measured, TrialStatus.COMPLETED);
    expect(await worker.get('00')).toMatchObject({ status: TrialStatus.COMPLETED, score: { value: 0.5, step: 3n } });
    for (let i = 1; i < 12; i++) {
      const next = await worker.createTrial('t');
      await worker.update(next.trialId, i);
      await worker.end(next, TrialStatus.COMPLETED);
    }
    for (let again = 0; again < 3; again++) expect((await worker.createTrial('t')).status).toBe(TrialStatus.STOPPED);
    const { trials } = await worker.call<kerasTunerService.GetBestTrialsResponse>('GetBestTrials', { numTrials: 2n });
    expect(trials.map((t) => [t.trialId, t.score?.value])).toEqual([['00', 0.5], ['01', 1]]);
  });

  test('a database that another program has locked is waited for: an error would end the worker', async () => {
    await served.client.create(spec({ maxTrials: 1 }), { studyId: 'one' });
    const worker = connect();
    const trial = await worker.createTrial('t');
    const lock = await lockDatabase(path.join(served.folder, 'database.sqlite'));
    const updated = worker.update(trial.trialId, 0.5, 1);
    const impatient = new TunerClient(served.service.server.address, { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 });
    // Another's call is refused, and the worker's was made before it.
    expect((await failure(impatient.enqueue('studies/one', [], 'once'))).code).toBe('UNAVAILABLE');
    impatient.close();
    await lock.release();
    await updated;
    await worker.end(trial, TrialStatus.COMPLETED);
    expect((await worker.get(trial.trialId)).score?.value).toBe(0.5);
  });

  test('values and spaces have the types of their parameters, no sampling is NONE, defaults are set, children follow by condition', async () => {
    const choice = { name: 'floats', kind: { case: 'choice' as const, value: { values: [1, 2.5].map((value) => ({ kind: { case: 'floatValue' as const, value } })) } } };
    await served.client.create(spec({ space: { case: 'searchSpace', value: { parameters: [...SPACE.value.parameters ?? [], choice] } } }), { studyId: 'one' });
    const { hyperparameters } = await connect().call<kerasTunerService.GetSpaceResponse>('GetSpace', {});
    expect(hyperparameters?.space).toMatchObject({
      floatSpace: [{ name: 'lr', sampling: kerasTuner.Sampling.LOG, default: 1e-4, step: 0 }, { name: 'momentum', sampling: kerasTuner.Sampling.LINEAR, conditions: [{ kind: { case: 'parent', value: { name: 'optimizer' } } }] }],
      intSpace: [{ name: 'units', minValue: 32n, step: 32n, sampling: kerasTuner.Sampling.LINEAR }],
      choiceSpace: [{ name: 'optimizer', default: { kind: { case: 'stringValue', value: 'sgd' } } }, { name: 'floats', default: { kind: { case: 'floatValue', value: 1 } }, ordered: true }],
    });
    expect(hyperparameters?.values?.values['floats']?.kind).toEqual({ case: 'floatValue', value: 1 });
    expect(hyperparameters?.values?.values['units']?.kind).toEqual({ case: 'intValue', value: 32n });
  });

  test('the space is told by the first run; others wait in their call', async () => {
    await served.client.create(spec({ space: { case: 'discovery', value: {} } }), { studyId: 'one' });
    const worker = connect();
    const empty = await worker.createTrial('a');
    expect(plain(empty)).toEqual({});
    const waiting = connect().createTrial('b');
    await worker.update(empty.trialId, 1);
    const parent = create(kerasTuner.ConditionSchema, { kind: { case: 'parent', value: { name: 'deep', values: [{ kind: { case: 'booleanValue', value: true } }] } } });
    // The wire groups by type: the child comes before its parent.
    await worker.end(empty, TrialStatus.COMPLETED, create(kerasTuner.HyperParametersSchema, {
      space: { intSpace: [{ name: 'layers', minValue: 1n, maxValue: 3n, step: 1n, sampling: kerasTuner.Sampling.LINEAR, default: 1n, conditions: [parent] }], booleanSpace: [{ name: 'deep', default: true }] },
      values: { values: { deep: { kind: { case: 'booleanValue', value: true } }, layers: { kind: { case: 'intValue', value: 1n } } } },
    }));
    expect(plain(await worker.get(empty.trialId))).toEqual({ deep: true, layers: 1n });
    expect(plain(await waiting)).toHaveProperty('deep');
    const study = await served.client.get('studies/one');
    expect(study.spec?.space.case === 'searchSpace' && study.spec.space.value.parameters.map((p) => p.name)).toEqual(['deep', 'layers']);
  });

  test('an INVALID trial is retried with its metrics cleared, then FAILED; FAILED is not retried; a NaN score is INVALID', async () => {
    await served.client.create(spec({ maxRetriesPerTrial: 1 }), { studyId: 'one' });
    const worker = connect();
    const trial = await worker.createTrial('t');
    await worker.update(trial.trialId, NaN);
    await worker.end(trial, TrialStatus.COMPLETED);
    expect((await worker.get(trial.trialId)).status).toBe(TrialStatus.INVALID);
    const again = await worker.createTrial('t');
    expect([again.trialId, again.status, again.metrics?.metrics]).toEqual([trial.trialId, TrialStatus.RUNNING, {}]);
    await worker.end(again, TrialStatus.INVALID);
    expect((await worker.get(trial.trialId)).status).toBe(TrialStatus.FAILED);
    const other = await worker.createTrial('t');
    expect(other.trialId).not.toBe(trial.trialId);
    await worker.end(other, TrialStatus.FAILED);
    expect((await served.client.getTrial(`studies/one/trials/${Number(other.trialId)}`)).state.case).toBe('infeasible');
  });

  test("a Hyperband worker is told how far to train and from whose checkpoint; its ids have four digits", async () => {
    await served.client.create(spec({ algorithm: { case: 'hyperband', value: { maxEpochs: 4, factor: 2 } }, maxTrials: 8 }), { studyId: 'one' });
    const worker = connect();
    const seen: Readonly<Record<string, unknown>>[] = [];
    for (let i = 0; i < 8; i++) {
      const trial = await worker.createTrial('t');
      expect(trial.trialId).toBe(String(i).padStart(4, '0'));
      seen.push(plain(trial));
      await worker.update(trial.trialId, i);
      await worker.end(trial, TrialStatus.COMPLETED);
    }
    expect(seen[0]).toMatchObject({ 'tuner/epochs': 1n, 'tuner/initial_epoch': 0n, 'tuner/round': 0n });
    expect(seen.find((values) => 'tuner/trial_id' in values)).toMatchObject({ 'tuner/trial_id': '0000', 'tuner/epochs': 2n, 'tuner/initial_epoch': 1n, 'tuner/round': 1n, 'lr': seen[0]?.['lr'] });
  });

  test('a worker lives as long as its connection: without it its trial is another\'s after a lease, and what it still says is dropped', async () => {
    await served.client.create(spec({ maxParallelTrials: 1, lease: { seconds: 1n, nanos: 0 } }), { studyId: 'one' });
    const slow = connect();
    const trial = await slow.createTrial('slow');
    slow.close();
    const quick = connect();
    expect((await quick.createTrial('quick')).trialId).toBe(trial.trialId);
    const back = connect();
    await back.update(trial.trialId, 7);
    await back.end(trial, TrialStatus.COMPLETED);
    expect((await served.client.getTrial('studies/one/trials/0')).state).toMatchObject({ case: 'running', value: { holder: 'keras-tuner:quick' } });
    await quick.update(trial.trialId, 1);
    await quick.end(trial, TrialStatus.COMPLETED);
    expect((await served.client.getTrial('studies/one/trials/0')).state).toMatchObject({ value: { scores: [1] } });
  });

  test('a worker that comes back on another connection is known by what it is missed for', async () => {
    await served.client.create(spec({ lease: { seconds: 30n, nanos: 0 } }), { studyId: 'one' });
    const before = connect();
    const trial = await before.createTrial('t');
    before.close();
    const after = connect();
    await after.update(trial.trialId, 1);
    await after.end(trial, TrialStatus.COMPLETED);
    expect((await served.client.getTrial('studies/one/trials/0')).state.case).toBe('succeeded');
  });

  test('one port serves many studies, each under a host name; a name that is none is refused in a sentence', async () => {
    await served.client.create(spec({ seed: 1n }), { studyId: 'left' });
    await served.client.create(spec({ seed: 2n }), { studyId: 'right' });
    const [left, right] = [connect(1, 'left.tuner.example:80'), connect(1, 'right.tuner.example')];
    const [a, b] = [plain(await left.createTrial('t')), plain(await right.createTrial('t'))];
    expect(a).not.toEqual(b);
    await expect(connect(1).createTrial('t')).rejects.toThrow(/names no study: dial my-study\.your-host/);
    await expect(connect(1, 'nobody.tuner.example').createTrial('t')).rejects.toThrow(/studies\/nobody does not exist/);
  });

  test('a space of another type fails the trial by name, and the worker lives', async () => {
    await served.client.create(spec({ maxRetriesPerTrial: 0 }), { studyId: 'one' });
    const worker = connect();
    const trial = await worker.createTrial('t');
    await worker.update(trial.trialId, 1);
    await worker.end(trial, TrialStatus.COMPLETED, create(kerasTuner.HyperParametersSchema, { space: { booleanSpace: [{ name: 'units', default: true }] } }));
    expect((await served.client.getTrial('studies/one/trials/0')).state).toMatchObject({ case: 'failed', value: { error: expect.stringMatching(/"units".*BOOLEAN.*INT/) } });
    expect((await worker.createTrial('t')).status).toBe(TrialStatus.RUNNING);
  });

  test('a value that its parameter cannot have fails the trial by name; a condition that never holds is taken, as KerasTuner takes it', async () => {
    await served.client.create(spec({ maxRetriesPerTrial: 0 }), { studyId: 'one' });
    const worker = connect();
    const found = (value: bigint) => create(kerasTuner.HyperParametersSchema, {
      space: { intSpace: [{ name: 'depth', minValue: 0n, maxValue: 2n, step: 1n, sampling: kerasTuner.Sampling.LINEAR }], booleanSpace: [{ name: 'never', conditions: [{ kind: { case: 'parent', value: { name: 'depth', values: [{ kind: { case: 'intValue', value: 7n } }] } } }] }] },
      values: { values: { depth: { kind: { case: 'intValue', value } }, never: { kind: { case: 'booleanValue', value: true } } } },
    });
    const odd = await worker.createTrial('t');
    await worker.update(odd.trialId, 1);
    await worker.end(odd, TrialStatus.COMPLETED, found(9n));
    expect((await served.client.getTrial('studies/one/trials/0')).state).toMatchObject({ case: 'failed', value: { error: expect.stringMatching(/"depth" cannot be 9: it ranges from 0 to 2/) } });
    const good = await worker.createTrial('t');
    await worker.update(good.trialId, 1);
    await worker.end(good, TrialStatus.COMPLETED, found(2n));
    expect((await served.client.getTrial('studies/one/trials/1')).state.case).toBe('succeeded');
    expect(plain(await worker.get('1'))).toMatchObject({ depth: 2n });
    expect((await served.client.get('studies/one')).spec?.space).toMatchObject({ value: { parameters: { length: 6 } } });
  });

  test('clients of both kinds share a study', async () => {
    await served.client.create(spec({ maxTrials: 2 }), { studyId: 'one' });
    const worker = connect();
    const mine = await worker.createTrial('same');
    const theirs = await served.client.next('studies/one', 'same');
    expect(theirs?.name).toBe('studies/one/trials/1');
    await served.client.complete('studies/one/trials/1', 'same', success(2));
    await worker.update(mine.trialId, 1);
    await worker.end(mine, TrialStatus.COMPLETED);
    expect((await worker.createTrial('same')).status).toBe(TrialStatus.STOPPED);
  });
});
