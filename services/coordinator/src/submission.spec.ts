import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ShardPolicy, TrainJobSpecSchema } from '@lockstep/contract';
import { CoordinatorError } from './coordinator-error';
import { checkSubmission, DataProblem, SHARD_RECORDS, type Catalog, type CatalogVersion } from './submission';

const version = (name: string, type: string, paths: readonly string[]): CatalogVersion => ({ name, type, files: paths.map((path) => ({ path, sizeBytes: 1 })) });
const VERSIONS = [
  version('artifacts/m/versions/1', 'Module', ['module.js']),
  version('artifacts/empty/versions/1', 'Module', ['readme.txt']),
  version('artifacts/e/versions/1', 'Examples', ['Split-train/a', 'Split-train/b', 'Split-eval/c', 'schema.pbtxt']),
  version('artifacts/f/versions/1', 'Examples', ['Split-train/a']),
  version('artifacts/none/versions/1', 'Examples', ['Split-train/empty', 'Split-eval/c']),
  version('artifacts/bad/versions/1', 'Examples', ['Split-train/corrupt', 'Split-eval/c', 'schema.pbtxt']),
];
const HYPERPARAMETERS = [
  version('artifacts/h/versions/1', 'HyperParameters', ['best_hyperparameters.txt']), version('artifacts/h/versions/2', 'HyperParameters', ['broken.txt']),
  version('artifacts/h/versions/3', 'HyperParameters', ['a', 'b']),
];
const CHECKPOINTS = [version('artifacts/t/versions/1', 'Checkpoint', ['state.bin']), version('artifacts/t/versions/2', 'Checkpoint', ['other'])];
const COUNTS: Record<string, number> = { 'Split-train/a': 10, 'Split-train/b': SHARD_RECORDS + 1, 'Split-eval/c': 5, 'Split-train/empty': 0 };
const catalog: Catalog = {
  version: (name) => Promise.resolve([...VERSIONS, ...CHECKPOINTS, ...HYPERPARAMETERS].find((v) => v.name === name)),
  countRecords: (_version, files) => (files.some((f) => f.path.endsWith('corrupt'))
    ? Promise.reject(new DataProblem('Split-train/corrupt of artifacts/bad/versions/1 is truncated: record 3 at byte 128 ends early'))
    : Promise.resolve(new Map(files.map((f) => [f.path, COUNTS[f.path] ?? 0])))),
  schemaProblem: (of) => Promise.resolve(of.name.includes('bad') ? 'line 3, column 7: expected "{"' : undefined),
  text: (_of, path) => Promise.resolve(path === 'best_hyperparameters.txt' ? '{"space": [], "values": {"rate": 1.0}}\n' : '{"space": '),
};
const check = (change: MessageInitShape<typeof TrainJobSpecSchema>) =>
  checkSubmission(create(TrainJobSpecSchema, { module: 'artifacts/m/versions/1', examples: ['artifacts/e/versions/1'], output: 'artifacts/out', ...change }), catalog);
const violations = (promise: Promise<unknown>): Promise<string[]> => promise.then(
  () => { throw new Error('accepted'); },
  (e: unknown) => {
    if (!(e instanceof CoordinatorError)) throw e;
    return (e.details.violations ?? []).map((v) => `${v.field}: ${v.description}`);
  });

test('hyperparameters of a version are what the module sees, also when the spec is one that was read back from a job', async () => {
  const { spec } = await check({ hyperparameters: 'artifacts/h/versions/1' });
  expect(spec).toMatchObject({ hyperparameters: 'artifacts/h/versions/1', hyperparametersJson: '{"space":[],"values":{"rate":1}}' });
  expect((await checkSubmission(spec, catalog)).spec).toEqual(spec);
});

test.each<[string, MessageInitShape<typeof TrainJobSpecSchema>, RegExp]>([
  ['that do not exist', { hyperparameters: 'artifacts/h/versions/9' }, /^spec\.hyperparameters: artifacts\/h\/versions\/9 does not exist/],
  ['of another type', { hyperparameters: 'artifacts/e/versions/1' }, /^spec\.hyperparameters: .* is of type Examples, not HyperParameters/],
  ['that are no name', { hyperparameters: 'h@1' }, /^spec\.hyperparameters: "h@1" is not the name of a version/],
  ['that are no JSON', { hyperparameters: 'artifacts/h/versions/2' }, /^spec\.hyperparameters: broken\.txt of artifacts\/h\/versions\/2 is not JSON/],
  ['of two files', { hyperparameters: 'artifacts/h/versions/3' }, /^spec\.hyperparameters: .* has 2 files/],
  ['given twice', { hyperparameters: 'artifacts/h/versions/1', hyperparametersJson: '{"space":[]}' }, /^spec\.hyperparameters_json: is given, and differs/],
])('hyperparameters %s are refused', async (_what, change, why) => {
  expect(await violations(check(change))).toEqual([expect.stringMatching(why)]);
});

test('with policy FILE a file for each logical replica is enough', async () => {
  await expect(check({ shardPolicy: ShardPolicy.FILE, replicas: 2 })).resolves.toMatchObject({ spec: { replicas: 2 } });
});

test('files are cut into shards of bounded size, in order', async () => {
  const { shardTables } = await check({});
  expect(shardTables.map((t) => [t.split, t.shards.map((s) => `${s.path} ${s.firstRecord}+${s.recordCount}`)])).toEqual([
    ['train', ['Split-train/a 0+10', `Split-train/b 0+${SHARD_RECORDS / 2}`, `Split-train/b ${SHARD_RECORDS / 2}+${SHARD_RECORDS / 2 + 1}`]],
    ['eval', ['Split-eval/c 0+5']]]);
});

test.each<[string, MessageInitShape<typeof TrainJobSpecSchema>, RegExp]>([
  ['an unknown module', { module: 'artifacts/x/versions/1' }, /^spec.module: artifacts\/x\/versions\/1 does not exist/],
  ['a module of another type', { module: 'artifacts/e/versions/1' }, /^spec.module: .* is of type Examples, not Module/],
  ['a module without its file', { module: 'artifacts/empty/versions/1' }, /^spec.module: .* holds no module.js/],
  ['an unknown split', { trainArgs: { splits: ['test'] } }, /^spec.train_args.splits\[0\]: Split does not exist over all example artifacts: test/],
  ['a split that one of two artifacts lacks', { examples: ['artifacts/e/versions/1', 'artifacts/f/versions/1'] }, /^spec.eval_args.splits\[0\]: Split does not exist over all example artifacts: eval \(not in artifacts\/f/],
  ['fewer files than logical replicas that want their own', { shardPolicy: ShardPolicy.FILE, replicas: 3 }, /^spec.shard_policy: FILE gives .* 2 files of train cannot be shared by 3\. Use DATA/],
  ['an empty split', { examples: ['artifacts/none/versions/1'] }, /^spec.train_args.splits\[0\]: split train of artifacts\/none\/versions\/1 holds no records/],
])('%s is refused by field', async (_what, change, expected) => {
  const found = await violations(check(change));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test.each([
  ['artifacts/t/versions/1', []],
  ['artifacts/t/versions/2', [/^spec\.tuner\.trial\.start_from: .* holds no state\.bin/]],
  ['artifacts/t/versions/9', [/^spec\.tuner\.trial\.start_from: .* does not exist/]],
  ['artifacts/m/versions/1', [/^spec\.tuner\.trial\.start_from: .* is of type Module, not Checkpoint/]],
])('a trial that goes on from %s is looked up', async (startFrom, messages) => {
  const checked = check({ tuner: { part: { case: 'trial', value: { hyperparametersJson: '{"space": [], "values": {}}', initialEpoch: 1, epochs: 2, startFrom } } } });
  if (messages.length === 0) await expect(checked).resolves.toMatchObject({ spec: { function: 'tunerFn' } });
  else expect(await violations(checked)).toEqual(messages.map((message) => expect.stringMatching(message) as string));
});

test('a truncated file and a schema that does not parse come in one answer, with the place', async () => {
  const found = await violations(check({ examples: ['artifacts/bad/versions/1'] }));
  expect(found).toEqual([
    expect.stringMatching(/^spec.schema: .* line 3, column 7/),
    expect.stringMatching(/^spec.train_args.splits\[0\]: .* is truncated: record 3 at byte 128/)]);
});
