import { cumulative, mills, quantile } from './normal';
import { readGolden } from './testing/golden';

const { normal } = readGolden();
const relative = (value: number, expected: number) => Math.abs(value - expected) / Math.max(Math.abs(expected), 1e-300);

describe('normal distribution against mpmath', () => {
  it.each(normal.mills)('Mills\' ratio at %p', (t, expected) => {
    expect(relative(mills(t), expected)).toBeLessThan(2e-15);
  });
  it.each(normal.cdf)('P(Z <= %p)', (z, expected) => {
    expect(relative(cumulative(z), expected)).toBeLessThan(2e-14);
  });
  it.each(normal.quantile)('quantile of %p', (p, expected) => {
    expect(Math.abs(quantile(p) - expected)).toBeLessThan(1e-9 * Math.max(1, Math.abs(expected)));
  });
});
