/** Bad input, as users meet it: what, where, what to do; an exit code; and nothing half-written. */
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { LocalCluster, lockstep } from './cluster';
import { IMPORT_PENGUINS, LIGHT_BACKEND, PENGUINS, moduleFile } from './fixtures';

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.start(2, LIGHT_BACKEND);
  await cluster.json(...IMPORT_PENGUINS);
}, 120_000);
afterAll(() => cluster.stop(), 60_000);

const models = async (): Promise<string[]> => (await cluster.json<{ name: string; type: string }>('artifacts', 'list')).filter((a) => a.type === 'Model').map((a) => a.name);
const train = (module: string, ...more: string[]) => cluster.run('train', module, '--examples', 'penguins', '--output', 'bad', ...more);

describe('a module that', () => {
  test.each<[string, string, string[], RegExp]>([
    ['does not compile', 'broken', [], /broken\.ts:2:1: Expected identifier/],
    ['exports no runFn', 'no-run-fn', [], /exports no function runFn; it exports somethingElse/],
    ['saves no model', 'no-model', [], /runFn failed to generate model/],
    ['gives a NaN loss', 'nan-loss', ['--workers', '2'], /call 0 epoch \d+ TRAIN step \d+: .*loss/],
    ['throws on one worker', 'throws', ['--workers', '2'], /no such column: colour[\s\S]*MODULE_THREW on workers\/w2 \(rank 1\)[\s\S]*throws\.ts:\d+/],
    ['leaves a rejection behind', 'stray', [], /nobody waits for me[\s\S]*MODULE_THREW/],
    ['has a batch smaller than V', 'small-batch', [], /batch.*2.*4/i],
    ['makes another call on each worker', 'disagree', ['--workers', '2'], /rank 0[\s\S]*rank 1|rank 1[\s\S]*rank 0/],
  ])('%s', async (_what, module, flags, expected) => {
    const { code, stdout, stderr } = await train(moduleFile(module), ...flags);
    expect(`${stdout}${stderr}`).toMatch(expected);
    expect(code).toBe(1);
    expect(await models()).toEqual([]);
  }, 90_000);
});

describe('a command line with', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['trian'], /unknown command 'trian'[\s\S]*train/],
    ['an unknown flag', ['train', 'm.ts', '--exmaples', 'x'], /unknown option '--exmaples'[\s\S]*--examples/],
    ['a number that is none', ['up', '--workers', 'many'], /--workers.*whole number/],
    ['an unknown flag of a subcommand', ['jobs', 'list', '--nope'], /unknown option '--nope'/],
    ['a missing argument of a subcommand', ['artifacts', 'get', 'x'], /required option '--to <folder>'/],
    ['a file that is not there', ['train', 'm.ts', '--hyperparameters', '@nowhere.json'], /cannot read nowhere\.json/],
    ['a missing flag', ['train', 'm.ts'], /--examples is required/],
  ])('%s ends with 2', async (_what, args, expected) => {
    const { code, stderr } = await lockstep(args);
    expect(stderr).toMatch(expected);
    expect(code).toBe(2);
  }, 30_000);
});

test('without a cluster, a command says how to start one', async () => {
  const { code, stderr } = await lockstep(['workers', '--data', join(cluster.folder, 'nowhere')]);
  expect(stderr).toContain('lockstep up');
  expect(code).toBe(1);
}, 30_000);

test('an unknown split, an unknown version and too many workers come in one answer', async () => {
  const { code, stderr } = await cluster.run('train', moduleFile('everything'), '--examples', 'penguins', '--output', 'bad', '--train-split', 'test');
  expect(stderr).toContain('Split does not exist over all example artifacts: test');
  expect(code).toBe(1);
  const many = await train(moduleFile('everything'), '--workers', '5', '--replicas', '4');
  expect(many.stderr).toMatch(/spec\.workers\.max: 5 workers cannot share 4 logical replicas/);
}, 60_000);

test('a taken port is named', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stderr } = await lockstep(['up', '--port', String(port), '--workers', '0', '--data', join(cluster.folder, 'other')]);
  taken.close();
  expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*port is taken`));
  expect(code).toBe(1);
}, 60_000);

test('a second cluster on the same folder is refused, and says who is there', async () => {
  const { code, stderr } = await cluster.run('up');
  expect(stderr).toMatch(/a cluster runs on .* already/);
  expect(code).toBe(1);
}, 30_000);

describe('examples with', () => {
  /** The penguins as files, to be spoiled and put back under another name. */
  const copy = async (name: string): Promise<string> => {
    const whole = join(cluster.folder, 'whole');
    const folder = join(cluster.folder, name);
    if (!existsSync(whole)) expect((await cluster.run('artifacts', 'get', 'penguins', '--to', whole)).code).toBe(0);
    cpSync(whole, folder, { recursive: true });
    return folder;
  };
  const trainOn = async (name: string, folder: string) => {
    const put = await cluster.run('artifacts', 'put', folder, '--name', name, '--type', 'Examples');
    if (put.code !== 0) return put;
    return cluster.run('train', moduleFile('everything'), '--examples', name, '--output', 'bad');
  };
  const recordFile = (folder: string): string => {
    return join(folder, 'Split-train', readdirSync(join(folder, 'Split-train'))[0] ?? '');
  };

  test('a truncated file', async () => {
    const folder = await copy('truncated');
    const file = recordFile(folder);
    truncateSync(file, readFileSync(file).length - 10);
    const { code, stdout, stderr } = await trainOn('truncated', folder);
    expect(`${stdout}${stderr}`).toMatch(/truncated|ends/i);
    expect(code).toBe(1);
  }, 60_000);

  test('a schema that does not parse', async () => {
    const folder = await copy('bad-schema');
    appendFileSync(join(folder, 'schema.pbtxt'), '\nfeature { name: \n');
    const { code, stderr } = await trainOn('bad-schema', folder);
    expect(stderr).toMatch(/spec\.schema: schema\.pbtxt .* does not parse: schema\.pbtxt:\d+:\d+: expected a value/);
    expect(code).toBe(1);
  }, 60_000);

  test.each<[string, (schema: string) => string, RegExp]>([
    ['an Example without a required feature', (s) => `${s}\nfeature { name: "Wingspan" type: FLOAT presence { min_fraction: 1.0 } shape { dim { size: 1 } } }\n`, /Wingspan[\s\S]*Split-(train|eval)/],
    ['a feature of another type', (s) => s.replace('type: BYTES', 'type: FLOAT'), /Species.*(bytes|BYTES|string)[\s\S]*Split-(train|eval)|Split-(train|eval)[\s\S]*Species/],
  ])('%s', async (_what, spoil, expected) => {
    const name = `spoiled-${String(expected.source.length)}`;
    const folder = await copy(name);
    writeFileSync(join(folder, 'schema.pbtxt'), spoil(readFileSync(join(folder, 'schema.pbtxt'), 'utf8')));
    const { code, stdout, stderr } = await trainOn(name, folder);
    expect(`${stdout}${stderr}`).toMatch(expected);
    expect(code).toBe(1);
    expect(await models()).toEqual([]);
  }, 60_000);

  test('rows that are no JSON', async () => {
    const file = join(cluster.folder, 'rows.json');
    writeFileSync(file, `${readFileSync(PENGUINS, 'utf8').slice(0, 500)}`);
    const { code, stderr } = await cluster.run('examples', 'import', file, '--name', 'broken-rows');
    expect(stderr).toContain('rows.json');
    expect(code).toBe(1);
    const listed = await cluster.json<{ name: string }>('artifacts', 'list');
    expect(listed.map((a) => a.name)).not.toContain('artifacts/broken-rows');
  }, 60_000);
});
