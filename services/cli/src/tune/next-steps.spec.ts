import type { Study } from '@lockstep/contract';
import { Output } from '../output';
import { captured } from '../testing/captured';
import { nextSteps } from './next-steps';
import { study } from './testing/study-messages';

const RESULTS = { $typeName: 'lockstep.tuner.v1.StudyResults', hyperparameters: 'artifacts/s-hyperparameters/versions/2', results: 'artifacts/s-results/versions/2', execution: '', trials: 4 } as const;

test.each<[string, Study, readonly string[]]>([
  ['came to something', { ...study({}, 'completed'), results: RESULTS }, ['values', 'table', 'train', 'report']],
  ['failed after some trials had succeeded', { ...study({}, 'failed'), results: RESULTS }, ['values', 'table', 'report']],
  ['came to nothing', study({}, 'failed'), ['report']],
])('of a study that %s', (_title, ended, labels) => {
  const { stream, text } = captured();
  nextSteps(ended, 'slope.ts', ['penguins'], new Output(false, stream, stream));
  const lines = text().trim().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(labels);
  expect(lines.at(-1)).toBe('report     lockstep studies report s --to report.html');
  if (labels.includes('train')) expect(text()).toContain('lockstep train slope.ts --examples penguins --hyperparameters s-hyperparameters@2');
});
