// Shared by every project's jest.config.cjs. `*.spec.ts` needs Node alone; `*.interop.spec.ts` needs foreign programs.
const interop = process.env.LOCKSTEP_TESTS === 'interop';
module.exports = (rootDir) => ({
  rootDir,
  displayName: require(`${rootDir}/package.json`).name.replace('@lockstep/', ''),
  testEnvironment: 'node',
  roots: ['<rootDir>/src'],
  testMatch: [interop ? '**/*.interop.spec.ts' : '**/*.spec.ts'],
  testPathIgnorePatterns: interop ? [] : ['\\.interop\\.spec\\.ts$'],
  testTimeout: 60_000,
  transform: {
    '^.+\\.ts$': [require.resolve('@swc/jest'), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
      sourceMaps: 'inline',
    }],
  },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
});
