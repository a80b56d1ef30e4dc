import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { TrainJobSpecSchema, type TrialRunSchema } from '@lockstep/contract';
import { formatHyperparameters, intParameter, type Value } from '@lockstep/search';
import { resolveSpec } from './resolve-spec';

type Init = Exclude<MessageInitShape<typeof TrainJobSpecSchema>, { $typeName: string }>;
const job = (more: Init) => resolveSpec(create(TrainJobSpecSchema, { module: 'artifacts/m/versions/1', examples: ['artifacts/e/versions/2'], output: 'artifacts/out', ...more }));

const space = [intParameter('units', { min: 1, max: 9 })];
const json = (values: Readonly<Record<string, Value>>): string => formatHyperparameters({ space, values: new Map(Object.entries(values)) });

type Trial = Exclude<MessageInitShape<typeof TrialRunSchema>, { $typeName: string }>;
const trial = (more: Trial) => job({ tuner: { part: { case: 'trial', value: { hyperparametersJson: json({ units: 3 }), ...more } } } });
const violations = (resolution: ReturnType<typeof resolveSpec>): readonly string[] =>
  (resolution.kind === 'INVALID' ? resolution.violations.map(({ field, description }) => `${field}: ${description}`) : []);

test.each([
  ['a discovery, without an output', job({ output: '', tuner: { part: { case: 'discovery', value: {} } } }), 'tunerFn'],
  ['a trial from the beginning', trial({ epochs: 4 }), 'tunerFn'],
  ['a trial that goes on, with values of the tuner', trial({ hyperparametersJson: json({ units: 3, 'tuner/epochs': 4 }), initialEpoch: 2, epochs: 4, startFrom: 'artifacts/t/versions/3' }), 'tunerFn'],
  ['a trial of a function with another name', job({ function: 'tuneMe', tuner: { part: { case: 'trial', value: { hyperparametersJson: json({}) } } } }), 'tuneMe'],
])('%s is accepted', (_what, resolution, name) => {
  expect(resolution).toMatchObject({ kind: 'RESOLVED', spec: { function: name } });
});

test.each<[string, ReturnType<typeof resolveSpec>, readonly RegExp[]]>([
  ['a part that is none', job({ tuner: {} }), [/^spec\.tuner: must say which part/]],
  ['a discovery with an output', job({ tuner: { part: { case: 'discovery', value: {} } } }), [/^spec\.output: must be empty: a discovery commits nothing/]],
  ['a trial without an output', job({ output: '', tuner: { part: { case: 'trial', value: { hyperparametersJson: json({}) } } } }), [/^spec\.output: is required: the artifact that the trial's checkpoint becomes a version of/]],
  ['no hyperparameters', trial({ hyperparametersJson: '' }), [/^spec\.tuner\.trial\.hyperparameters_json: is required/]],
  ['hyperparameters that are no JSON', trial({ hyperparametersJson: '{' }), [/hyperparameters_json: hyperparameters: not a JSON document/]],
  ['a space that is none', trial({ hyperparametersJson: '{"space": 3, "values": {}}' }), [/hyperparameters_json: hyperparameters\.space: should be a list/]],
  ['a space that cannot be searched', trial({ hyperparametersJson: formatHyperparameters({ space: [intParameter('units', { min: 9, max: 1 })], values: new Map() }) }), [/hyperparameters_json: space\[0\]\.max: .*ranges from 9 to 1/]],
  ['values outside of it', trial({ hyperparametersJson: json({ units: 10, unit: 1 }) }), [/values\["units"\]: parameter "units" cannot be 10/, /the space has no parameter "unit"/]],
  ['epochs that are done', trial({ initialEpoch: 4, epochs: 4, startFrom: 'artifacts/t/versions/3' }), [/^spec\.tuner\.trial\.epochs: 4 are done already/]],
  ['epochs that are done by nobody', trial({ initialEpoch: 2, epochs: 4 }), [/start_from: is required with initial_epoch/]],
  ['no end', trial({ initialEpoch: 2, startFrom: 'artifacts/t/versions/3' }), [/epochs: is required with initial_epoch/]],
  ['a parent that is no version', trial({ startFrom: 'artifacts/t' }), [/start_from: "artifacts\/t" is not the name of a version/]],
  ['more executions than anybody waits for', trial({ executions: 1001 }), [/executions: 1001 is more than 1000/]],
])('%s is refused by field', (_what, resolution, messages) => {
  expect(violations(resolution)).toEqual(messages.map((message) => expect.stringMatching(message) as string));
});
