import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Real TFX data, which is not part of the repository: $LOCKSTEP_TEST_DATA, or ../shared/data beside it. */
const FOLDER = process.env['LOCKSTEP_TEST_DATA'] ?? resolve(__dirname, '..', '..', '..', '..', '..', 'shared', 'data');

export const testData = (...parts: readonly string[]): string => join(FOLDER, ...parts);

/** Files of a folder of the test data, by name. */
export const testFiles = (...parts: readonly string[]): readonly string[] => readdirSync(testData(...parts)).sort().map((name) => testData(...parts, name));

/** Tests on the real data; counted as skipped, and named so, where it is missing. */
export function describeWithData(title: string, tests: () => void): void {
  if (existsSync(testData('taxi'))) describe(title, tests);
  else describe.skip(`${title} (skipped: no test data; set LOCKSTEP_TEST_DATA)`, tests);
}
