import fc from 'fast-check';
import {
  formatArtifactName, formatExecutionName, formatJobName, formatVersionName, nameFault, parseArtifactName, parseExecutionName, parseJobName, parseVersionName, parseVersionQuery,
  resourceIdFault,
} from './index';

const id = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/);

test('a name that was formatted parses to what it names', () => {
  fc.assert(fc.property(id, fc.integer({ min: 1, max: 999_999_999_999_999 }), (x, number) => {
    expect(resourceIdFault(x)).toBeUndefined();
    expect(parseArtifactName(formatArtifactName(x))).toBe(x);
    expect(parseExecutionName(formatExecutionName(x))).toBe(x);
    expect(parseJobName(formatJobName(x))).toBe(x);
    expect(parseVersionName(formatVersionName({ artifact: x, number }))).toEqual({ artifact: x, number });
  }));
});

test('whatever parses is spelled in one way', () => {
  const piece = fc.constantFrom('artifacts', 'versions', 'latest', '/', '0', '1', '2', 'a', '.', '-', '..', ' ');
  fc.assert(fc.property(fc.array(piece).map((p) => p.join('')), (name) => {
    const query = parseVersionQuery(name);
    if (query) expect(formatVersionName(query)).toBe(name);
  }), { numRuns: 5000, examples: [['artifacts/a/versions/latest'], ['artifacts/a/versions/12']] });
});

test.each([
  ['artifact', 'artifacts/'], ['artifact', 'artifacts/a/b'], ['artifact', 'artifacts/-a'], ['artifact', 'artifacts/a.'], ['artifact', 'artifacts/..'], ['artifact', `artifacts/${'a'.repeat(129)}`],
  ['artifact', 'jobs/a'], ['artifact', 'artifacts/a\n'], ['version', 'artifacts/a/versions/0'], ['version', 'artifacts/a/versions/01'], ['version', 'artifacts/a/versions/-1'],
  ['version', 'artifacts/a/versions/latest'], ['version', 'artifacts/a'], ['versionOrLatest', 'artifacts/a/versions/newest'], ['execution', 'executions/a b'], ['job', 'jobs/'],
] as const)('%s: %j is refused with the form that is wanted', (kind, name) => {
  expect(nameFault(kind, name)).toContain(`${kind === 'versionOrLatest' ? 'artifact' : kind === 'version' ? 'artifact' : kind}s/{`);
});

test('an empty name is required, not malformed', () => {
  expect(nameFault('job', '')).toBe('is required: jobs/{job}');
});
