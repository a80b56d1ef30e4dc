import { ArtifactClient, fileOfBytes, TransferError, type TransferProgress } from '@lockstep/client';
import { ExecutionState } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import { failingFileSystem, rejection, removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { serve, type Served } from './testing/served';

removeTemporaryFolders();
const RETRY = { attempts: 6, firstDelayMs: 1, maxDelayMs: 5 };
let served: Served;
let client: ArtifactClient;
beforeEach(async () => {
  served = await serve();
  client = new ArtifactClient(served.channel, { retry: RETRY });
});
afterEach(() => served.stop());
const noise = (seed: string, sizeBytes: number): Buffer => createHash('shake128', { outputLength: sizeBytes }).update(seed).digest();
const options = { artifact: 'artifacts/model', type: 'Model' };

function modelFolder(): string {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'variables', 'späte'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'saved_model.pb'), noise('pb', 1000));
  fs.writeFileSync(path.join(folder, 'variables', 'data'), noise('variables', 11 << 20));
  fs.writeFileSync(path.join(folder, 'variables', 'späte', 'empty'), '');
  fs.writeFileSync(path.join(folder, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  return folder;
}
const contents = (folder: string): ReadonlyMap<string, string> => new Map(fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => {
  const file = path.join(e.parentPath, e.name);
  const executable = (fs.statSync(file).mode & 0o100) !== 0;
  return [path.relative(folder, file), `${createHash('sha256').update(fs.readFileSync(file)).digest('hex')} ${executable}`];
}));
const partials = (parent: string): readonly string[] => fs.readdirSync(parent).filter((n) => n.includes('.partial-'));

test('a folder that was put comes back the same, with its executable bits, and progress that adds up', async () => {
  const folder = modelFolder();
  const seen: TransferProgress[] = [];
  const onProgress = (p: TransferProgress): void => void seen.push(p);
  const put = await client.putDirectory(folder, { ...options, labels: [{ key: 'a', value: 'b' }], onProgress });
  expect(put).toMatchObject({ created: true, version: { name: 'artifacts/model/versions/1', fileCount: 4, labels: [{ key: 'a', value: 'b' }] } });
  const target = path.join(temporaryFolder(), 'deep', 'target');
  const version = await client.downloadTo('artifacts/model/versions/latest', target, { onProgress });
  expect(version.digest).toBe(put.version.digest);
  expect(contents(target)).toEqual(contents(folder));
  expect(partials(path.dirname(target))).toEqual([]);
  const total = 1000 + (11 << 20) + 10;
  for (const phase of ['HASH', 'UPLOAD', 'DOWNLOAD'] as const) {
    const of = seen.filter((p) => p.phase === phase);
    expect(of[0]).toEqual({ phase, doneBytes: 0, totalBytes: total });
    expect(of.at(-1)).toEqual({ phase, doneBytes: total, totalBytes: total });
    expect(of.map((p) => p.doneBytes)).toEqual(of.map((p) => p.doneBytes).sort((a, b) => a - b));
  }
});

test('what is there is not sent again, and the same files are the same version', async () => {
  const folder = modelFolder();
  const first = await client.putDirectory(folder, options);
  const again = await client.putDirectory(folder, options);
  expect(again).toMatchObject({ created: false, uploadedBytes: 0, version: { name: first.version.name } });
  const file = path.join(folder, 'variables', 'data');
  const bytes = fs.readFileSync(file);
  bytes[5 << 20] = (bytes[5 << 20] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
  const changed = await client.putDirectory(folder, options);
  expect(changed.version.name).toBe('artifacts/model/versions/2');
  expect(changed.uploadedBytes).toBeLessThanOrEqual(8 << 20); // One blob of at most 4 MiB, two when the cut moved.
});

test('the digest does not depend on who puts the files, nor on their order', async () => {
  const files = [fileOfBytes('b', noise('b', 5000)), fileOfBytes('a/x', noise('a', 10))];
  const one = await client.putFiles(files, options);
  const other = await client.putFiles([...files].reverse(), { artifact: 'artifacts/other', type: 'Model' });
  expect(other.version.digest).toBe(one.version.digest);
});

test('only selected files are fetched', async () => {
  await client.putDirectory(modelFolder(), options);
  const target = path.join(temporaryFolder(), 't');
  await client.downloadTo('artifacts/model/versions/1', target, { select: (p) => p.startsWith('variables/') });
  expect([...contents(target).keys()].sort()).toEqual(['variables/data', 'variables/späte/empty']);
});

test.each<readonly [string, (target: string) => void]>([
  ['a folder with something in it', (target) => { fs.mkdirSync(target); fs.writeFileSync(path.join(target, 'precious'), ''); }],
])('%s is not overwritten', async (_, prepare) => {
  await client.putFiles([fileOfBytes('f', Buffer.from('x'))], options);
  const target = path.join(temporaryFolder(), 't');
  prepare(target);
  expect(await rejection(client.downloadTo('artifacts/model/versions/1', target))).toMatchObject({ reason: 'TARGET_EXISTS', message: expect.stringContaining(target) });
  expect([...contents(target).keys()]).toEqual(['precious']);
});

test('a download that fails leaves nothing, and an empty folder is filled', async () => {
  const bytes = noise('f', 100);
  await client.putFiles([fileOfBytes('f', bytes)], options);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const blob = path.join(served.folder, 'blobs', sha256.slice(0, 2), sha256);
  const target = path.join(temporaryFolder(), 't');
  fs.mkdirSync(target);
  fs.writeFileSync(blob, noise('damaged', 100));
  expect(await rejection(client.downloadTo('artifacts/model/versions/1', target))).toMatchObject({ code: 'DATA_LOSS' });
  expect(fs.readdirSync(path.dirname(target))).toEqual(['t']);
  fs.writeFileSync(blob, bytes);
  await client.downloadTo('artifacts/model/versions/1', target);
  expect(fs.readFileSync(path.join(target, 'f')).equals(bytes)).toBe(true);
});

test('a file that changes while it is put is named, and no version is made', async () => {
  const bytes = noise('before', 1000);
  let reads = 0;
  const file = { ...fileOfBytes('weights', bytes), open: () => Promise.resolve({ read: () => Promise.resolve(reads++ === 0 ? bytes : noise('after', 1000)), close: () => Promise.resolve() }) };
  const error = await rejection(client.putFiles([file], options));
  expect(error).toBeInstanceOf(TransferError);
  expect(error).toMatchObject({ reason: 'FILE_CHANGED', message: expect.stringContaining('weights') });
  expect(await rejection(client.getVersion('artifacts/model/versions/latest'))).toMatchObject({ code: 'NOT_FOUND' });
});

test.each<readonly [string, (folder: string) => void, string]>([
  ['an empty folder', () => undefined, 'NO_FILES'],
  ['a link to a folder', (folder) => { fs.symlinkSync('/', path.join(folder, 'root')); }, 'UNSUPPORTED_FILE'],
  ['a name with a backslash', (folder) => { fs.writeFileSync(path.join(folder, 'a\\b'), ''); }, 'INVALID_FILES'],
])('%s cannot be put', async (_, prepare, reason) => {
  const folder = temporaryFolder();
  prepare(folder);
  expect(await rejection(client.putDirectory(folder, options))).toMatchObject({ reason, message: expect.stringContaining(folder) });
});

test('uploads and downloads outlast a restart of the service at the same address', async () => {
  const { folder, channel: { address } } = served;
  const channel = openChannel(address);
  const patient = new ArtifactClient(channel, { retry: { attempts: 40, firstDelayMs: 20, maxDelayMs: 100 } });
  let restart: Promise<Served> | undefined;
  const onProgress = ({ phase, doneBytes }: TransferProgress): void => {
    if (phase === 'UPLOAD' && doneBytes > 6 << 20) restart ??= served.stop().then(() => serve({ folder, listen: address }));
  };
  const files = Array.from({ length: 12 }, (_, i) => fileOfBytes(`f${i}`, noise(String(i), 3 << 20)));
  const put = await patient.putFiles(files, { ...options, onProgress });
  if (!restart) throw new Error('the service was not restarted');
  served = await restart;
  expect(put).toMatchObject({ created: true, version: { fileCount: 12 } });
  const target = path.join(temporaryFolder(), 't');
  await patient.downloadTo(put.version.name, target);
  expect(contents(target)).toEqual(new Map(files.map((f, i) => [f.path, `${createHash('sha256').update(noise(String(i), 3 << 20)).digest('hex')} false`])));
  channel.close();
});

test('a full disk ends a put with its reason and leaves no version', async () => {
  await served.stop();
  const files = failingFileSystem();
  served = await serve({ files });
  files.fail('write', 'ENOSPC', 3);
  const error = await rejection(new ArtifactClient(served.channel, { retry: RETRY }).putDirectory(modelFolder(), options));
  expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { reason: 'DISK_FULL' } });
  expect((await served.client.listArtifacts({})).artifacts).toEqual([]);
});

test('a fenced member cannot put; an execution links what it read and made', async () => {
  const data = await client.putFiles([fileOfBytes('f', Buffer.from('rows'))], { artifact: 'artifacts/data', type: 'Examples' });
  const execution = await client.beginExecution({ type: 'TrainJob', inputs: [{ key: 'examples', version: data.version.name }] });
  await client.advanceFence('jobs/j', 2);
  const put = (generation: number) => client.putFiles([fileOfBytes('m', Buffer.from('weights'))], { ...options, fence: { job: 'jobs/j', generation }, execution: execution.name, outputKey: 'model' });
  expect(await rejection(put(1))).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'FENCED' } });
  const { version } = await put(2);
  await client.completeExecution(execution.name, ExecutionState.SUCCEEDED);
  expect(await client.getExecution(execution.name)).toMatchObject({ state: ExecutionState.SUCCEEDED, outputs: [{ key: 'model', version: version.name, type: 'Model' }] });
  const names = async (list: AsyncIterable<{ readonly name: string }>): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { name } of list) found.push(name);
    return found;
  };
  expect(await names(client.listExecutions({ output: version.name }))).toEqual([execution.name]);
  expect(await names(client.listArtifacts({ type: 'Model' }))).toEqual(['artifacts/model']);
  expect(await names(client.listVersions('artifacts/model'))).toEqual([version.name]);
});
