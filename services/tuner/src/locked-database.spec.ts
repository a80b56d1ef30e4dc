/** Another program has the tuner's database: a backup, or somebody's tool. */
import path from 'node:path';
import { TunerClient } from '@lockstep/client';
import { lockDatabase, removeTemporaryFolders } from '@lockstep/storage/testing';
import { failure, first, serve, spec, success } from './testing/served';

removeTemporaryFolders();

test('reading goes on; who writes is told who has it and that it may ask again; a client that does loses nothing', async () => {
  const served = await serve();
  const impatient = new TunerClient(served.service.server.address, { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 });
  try {
    const { client } = served;
    const { name } = await client.create(spec());
    const mine = first(await client.suggest(name, 'a'));
    const other = first(await client.suggest(name, 'b'));
    const lock = await lockDatabase(path.join(served.folder, 'database.sqlite'));
    const patient = client.complete(mine.name, 'a', success(1));
    const error = await failure(impatient.complete(other.name, 'b', success(2)));
    expect([error.code, error.details.reason, error.details.retryAfterMs !== undefined]).toEqual(['UNAVAILABLE', 'TIMED_OUT', true]);
    expect(error.message).toContain(`${path.join(served.folder, 'database.sqlite')} is locked by`);
    expect((await impatient.getTrial(mine.name)).state.case).toBe('running');
    await lock.release();
    expect((await patient).state).toMatchObject({ case: 'succeeded', value: { scores: [1] } });
    expect((await impatient.complete(other.name, 'b', success(2))).state).toMatchObject({ case: 'succeeded', value: { scores: [2] } });
    expect((await client.get(name)).trials).toMatchObject({ succeeded: 2, running: 0 });
  } finally {
    impatient.close();
    await served.stop();
  }
});

test('calls that were to be stored together are refused together, not one deadline after the other', async () => {
  const served = await serve();
  const impatient = new TunerClient(served.service.server.address, { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 });
  try {
    // Studies of their own: their moves wait in different queues and meet in the store.
    const studies = await Promise.all(Array.from({ length: 60 }, () => served.client.create(spec())));
    const lock = await lockDatabase(path.join(served.folder, 'database.sqlite'));
    const errors = await Promise.all(studies.map(({ name }) => failure(impatient.suggest(name, 'a', { maxWaitMs: 20_000 }))));
    expect(new Set(errors.map(({ code, details }) => `${code} ${details.reason ?? ''}`))).toEqual(new Set(['UNAVAILABLE TIMED_OUT']));
    await lock.release();
    expect(first(await served.client.suggest(studies[0]?.name ?? '', 'a')).name).toBe(`${studies[0]?.name ?? ''}/trials/0`);
  } finally {
    impatient.close();
    await served.stop();
  }
});
