import { readConfig } from './config';

const ARTIFACT = ['--artifact', '127.0.0.1:1'];

test('flags go before the environment, and that before the defaults', () => {
  const env = { LOCKSTEP_COORDINATOR_LEASE_MS: '4000', LOCKSTEP_COORDINATOR_LISTEN: '127.0.0.1:2' };
  expect(readConfig([...ARTIFACT, '--lease-ms', '5000'], env)).toMatchObject({ artifact: '127.0.0.1:1', leaseMs: 5000, listen: '127.0.0.1:2', exportTimeoutMs: 600_000, jobRetentionMs: 90 * 86_400_000 });
});

test.each<[string, readonly string[], RegExp]>([
  ['no artifact service', [], /^--artifact is required/],
  ['a time that is none', [...ARTIFACT, '--export-timeout-ms', '5s'], /^--export-timeout-ms "5s" is not a number of milliseconds/],
  ['a retention that is none', [...ARTIFACT, '--job-retention-days', '1w'], /^--job-retention-days "1w" is not a number of days/],
  ['a lease that no heartbeat can keep', [...ARTIFACT, '--lease-ms', '500'], /^--lease-ms "500" is too short: at least 1000/],
  ['an unknown log level', [...ARTIFACT, '--log-level', 'loud'], /^--log-level "loud" is none of/],
  ['an unknown flag', [...ARTIFACT, '--lease', '5'], /--lease/],
])('%s is refused', (_what, argv, message) => {
  expect(() => readConfig(argv, {})).toThrow(message);
});
