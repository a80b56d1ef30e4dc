import { typedValues } from './typed-values';
import { study } from './testing/study-messages';

const { spec } = study();

test.each([
  ['a float that is a whole number', '{"rate": 1}', [{ name: 'rate', value: { kind: { case: 'floatValue', value: 1 } } }]],
  ['an integer', '{"units": 8}', [{ name: 'units', value: { kind: { case: 'intValue', value: 8n } } }]],
  ['an integer\'s fraction, for the tuner to refuse', '{"units": 8.5}', [{ name: 'units', value: { kind: { case: 'floatValue', value: 8.5 } } }]],
  ['a flag, and a name that nobody knows', '{"drop": true, "x/y": "z"}', [{ name: 'drop', value: { kind: { case: 'boolValue', value: true } } }, { name: 'x/y', value: { kind: { case: 'stringValue', value: 'z' } } }]],
])('%s', (_title, json, values) => {
  expect(typedValues(spec, json)).toEqual(values);
});

test.each(['{"rate": null}', '{"rate": [1]}', '{"rate": {}}'])('%s is refused', (json) => {
  expect(() => typedValues(spec, json)).toThrow('the value of "rate" is');
});
