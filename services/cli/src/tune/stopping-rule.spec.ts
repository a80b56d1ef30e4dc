import { stoppingRule } from './stopping-rule';

test.each([
  ['median', { case: 'medianStopping' }], ['curve:50', { case: 'curveStopping', value: { maxEpochs: 50 } }], ['rungs:9', { case: 'rungStopping', value: { maxEpochs: 9 } }],
])('%s', (text, rule) => {
  expect(stoppingRule(text)).toMatchObject(rule);
});

test.each(['', 'mean', 'curve', 'curve:', 'curve:0', 'curve:1.5', 'median:3', 'rungs:-1', 'curve:9999999999'])('%s is refused with what there is', (text) => {
  expect(() => stoppingRule(text)).toThrow(/median, curve:EPOCHS or rungs:EPOCHS/);
});
