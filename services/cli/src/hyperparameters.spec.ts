import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hyperparametersSource } from './hyperparameters';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-hyperparameters-spec-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([['penguins-hyperparameters'], ['penguins-hyperparameters@3'], ['artifacts/x/versions/1']])('%s names a version', (text) => {
  expect(hyperparametersSource(text)).toEqual({ kind: 'VERSION', version: text });
});

test('an object is taken as it is, typed or in a file', () => {
  const file = join(folder, 'best_hyperparameters.txt');
  writeFileSync(file, '{"space": [], "values": {"rate": 1.0}}\n');
  expect(hyperparametersSource(`@${file}`)).toEqual({ kind: 'JSON', json: '{"space":[],"values":{"rate":1}}' });
  expect(hyperparametersSource('{"epochs": 8}')).toEqual({ kind: 'JSON', json: '{"epochs":8}' });
});

test.each([['5', 'must be a JSON object'], ['[1]', 'must be a JSON object'], ['true', 'must be a JSON object'], ['{epochs: 8}', 'is not JSON'], ['@nowhere.json', 'cannot read nowhere.json']])('%s is refused', (text, why) => {
  expect(() => hyperparametersSource(text)).toThrow(why);
});
