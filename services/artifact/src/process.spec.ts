import { ArtifactService } from '@lockstep/contract';
import { createClient, openChannel, type Channel } from '@lockstep/rpc';
import { openDatabase } from '@lockstep/storage';
import { removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import fs from 'node:fs';
import net from 'node:net';
import { artifactMigrations } from './store/schema';
import { entryOf, failure, readBlob, refOf, streamOf, writeBlob, type Served } from './testing/served';
import { startProcess, type ServiceProcess } from './testing/service-process';

removeTemporaryFolders();
const started: ServiceProcess[] = [];
const channels: Channel[] = [];
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  for (const { child, exited } of started.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
});
const start = (...args: string[]): ServiceProcess => {
  const service = startProcess(['--log-level', 'warn', ...args]);
  started.push(service);
  return service;
};
async function serveIn(folder: string): Promise<Served & { readonly process: ServiceProcess }> {
  const process = start('--listen', '127.0.0.1:0', '--data', folder);
  const channel = openChannel((await process.ready).listening);
  channels.push(channel);
  return { process, folder, channel, client: createClient(ArtifactService, channel), stop: () => Promise.resolve() };
}
const A = Buffer.from('content a');
const half = Buffer.alloc(200_000, 'half');

test('kill -9 after the answer to a commit loses nothing; a crash before it leaves nothing visible', async () => {
  const folder = temporaryFolder();
  const first = await serveIn(folder);
  await writeBlob(first, A);
  const { version } = await first.client.commitVersion({ artifact: 'artifacts/kept', type: 'Model', entries: [entryOf('file', A)], fence: { job: 'jobs/j', generation: 3n } });
  const uncommitted = Buffer.from('written, never committed');
  await writeBlob(first, uncommitted, 'v');
  await first.client.writeBlob(streamOf({ upload: { uploadId: 'w', blob: refOf(half) }, data: half.subarray(0, 1000) }));
  first.process.child.kill('SIGKILL');
  await first.process.exited;

  const second = await serveIn(folder);
  expect(await second.client.getVersion({ name: 'artifacts/kept/versions/latest' })).toMatchObject({ name: version?.name, digest: version?.digest });
  expect((await readBlob(second, refOf(A).sha256)).equals(A)).toBe(true);
  expect((await second.client.listArtifacts({})).artifacts.map((a) => a.name)).toEqual(['artifacts/kept']);
  expect((await failure(readBlob(second, refOf(half).sha256))).code).toBe('NOT_FOUND');
  expect(await second.client.findMissingBlobs({ blobs: [refOf(uncommitted), refOf(half)] })).toMatchObject({ missing: [{ sha256: refOf(half).sha256 }] });
  expect((await failure(second.client.advanceFence({ fence: { job: 'jobs/j', generation: 2n } }))).details.reason).toBe('FENCED');
});

test('killed at any moment of a stream of commits, every answered one is there and numbers are dense', async () => {
  const folder = temporaryFolder();
  const first = await serveIn(folder);
  let answered = 0;
  const committing = (async () => {
    for (let i = 0; ; i++) {
      const bytes = Buffer.from(`content ${i}`);
      await writeBlob(first, bytes, `u${i}`);
      await first.client.commitVersion({ artifact: 'artifacts/many', type: 'T', entries: [entryOf('f', bytes)] });
      answered = i + 1;
      if (answered === 20) first.process.child.kill('SIGKILL');
    }
  })();
  await failure(committing);
  await first.process.exited;
  const second = await serveIn(folder);
  const { versions } = await second.client.listVersions({ parent: 'artifacts/many', pageSize: 1000 });
  expect(versions.length).toBeGreaterThanOrEqual(answered);
  expect(versions.map((v) => v.name)).toEqual(Array.from({ length: versions.length }, (_, i) => `artifacts/many/versions/${versions.length - i}`));
  for (const { name } of versions) {
    const [entry] = (await second.client.getVersion({ name })).entries;
    expect((await readBlob(second, entry?.blobs[0]?.sha256 ?? '')).length).toBe(Number(entry?.sizeBytes));
  }
});

test('SIGTERM drains and exits with 0', async () => {
  const { process, client } = await serveIn(temporaryFolder());
  await client.listArtifacts({});
  process.child.kill('SIGTERM');
  expect(await process.exited).toEqual({ code: 0, stderr: '' });
});

test('an idle service stays below 150 MB', async () => {
  const { process, client } = await serveIn(temporaryFolder());
  await client.listArtifacts({});
  const [, residentPages] = fs.readFileSync(`/proc/${process.child.pid}/statm`, 'utf8').split(' ');
  expect(Number(residentPages) * 4096).toBeLessThan(150e6);
});

test.each<readonly [string, () => Promise<readonly string[]>, number, RegExp]>([
  ['a folder of a newer version', async () => {
    const folder = temporaryFolder();
    const future = { name: 'future', up: () => Promise.resolve() };
    await (await openDatabase({ folder, service: 'artifact', programVersion: '9.9.9', migrations: [...artifactMigrations, future] })).close();
    return ['--data', folder];
  }, 1, /^the data folder .* has schema version 4, written by artifact 9\.9\.9; this is artifact .*reads versions up to 3.*--data\n$/],
  ['a folder that another process has', async () => {
    const { folder } = await serveIn(temporaryFolder());
    return ['--data', folder];
  }, 1, /^the data folder .* is used by the artifact service with process id \d+.*\n$/],
  ['a taken port', async () => {
    const server = net.createServer().listen(0, '127.0.0.1').unref();
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    return ['--data', temporaryFolder(), '--listen', `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`];
  }, 1, /^cannot listen on 127\.0\.0\.1:\d+: the port is taken.*--listen.*\n$/m],
  ['an unknown flag and a bad value', () => Promise.resolve(['--lissten', 'x', '--log-level', 'loud']), 2, /^"--lissten" .*did you mean --listen.*\n--log-level: "loud" is not one of .*\n$/],
])('%s ends the start with a sentence and a code', async (_, prepare, code, message) => {
  const args = await prepare();
  const { exited } = start('--listen', '127.0.0.1:0', ...args);
  const end = await exited;
  expect(end.stderr).toMatch(message);
  expect(end.code).toBe(code);
});
