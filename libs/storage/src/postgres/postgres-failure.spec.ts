import { isOutage } from '../database-error';
import { postgresAddress } from './postgres-address';
import { postgresFailure, type PostgresAct } from './postgres-failure';

const report = (severity: string, code: string): Error => Object.assign(new Error('what the server says'), { severity, code });
const system = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

test.each<[string, unknown, PostgresAct, string, boolean]>([
  ['a closed port', system('ECONNREFUSED'), 'CONNECT', 'UNREACHABLE', true],
  ['a server that starts up', report('FATAL', '57P03'), 'CONNECT', 'UNREACHABLE', true],
  ['no free connection', report('FATAL', '53300'), 'CONNECT', 'UNREACHABLE', true],
  ['a wrong password', report('FATAL', '28P01'), 'CONNECT', 'ACCESS_DENIED', false],
  ['a user without a rule', report('FATAL', '28000'), 'CONNECT', 'ACCESS_DENIED', false],
  ['no such database', report('FATAL', '3D000'), 'CONNECT', 'ACCESS_DENIED', false],
  ['a reset in a statement', system('ECONNRESET'), 'STATEMENT', 'CONNECTION_LOST', true],
  ['a shutdown in a statement', report('FATAL', '57P01'), 'STATEMENT', 'CONNECTION_LOST', true],
  ['a reset in a commit', system('ECONNRESET'), 'COMMIT', 'OUTCOME_UNKNOWN', false],
  ['a commit after the server\'s patience ended', report('FATAL', '25P03'), 'COMMIT', 'CONNECTION_LOST', true],
  ['a crash in a commit', report('PANIC', '53100'), 'COMMIT', 'OUTCOME_UNKNOWN', false],
  ['a lock that is not free', report('ERROR', '55P03'), 'STATEMENT', 'TIMED_OUT', true],
  ['a statement that takes too long', report('ERROR', '57014'), 'STATEMENT', 'TIMED_OUT', true],
])('%s is %s', (_what, caught, act, failure, outage) => {
  const error = postgresFailure(caught, 'postgres://h/d', act);
  expect(error).toMatchObject({ reason: 'IO', failure, facts: { server: 'postgres://h/d', failure }, cause: caught });
  expect(error.message).toContain('postgres://h/d');
  expect(isOutage(error)).toBe(outage);
});

test.each<[string, string, string]>([['53100', 'DISK_FULL', 'rolled back whole'], ['XX001', 'DATA_LOSS', 'backup'], ['23505', 'IO', 'what the server says']])(
  'the server\'s error %s has the reason %s', (code, reason, message) => {
    expect(postgresFailure(report('ERROR', code), 's', 'STATEMENT')).toMatchObject({ reason, message: expect.stringContaining(message) });
  });

test.each([
  ['postgres://u:secret@h:5432/d', 'postgres://u:***@h:5432/d'],
  ['postgresql://u:se%40c:ret@h/d?sslmode=require', 'postgresql://u:***@h/d?sslmode=require'],
  ['postgres://h/d?user=u&password=secret&x=1', 'postgres://h/d?user=u&password=***&x=1'],
  ['postgres://u@h/d', 'postgres://u@h/d'],
])('%s is shown without its password', (url, shown) => {
  expect(postgresAddress(url)).toEqual({ url, shown });
});

test('a URL that cannot be read is refused, without its password', () => {
  expect(() => postgresAddress('postgres://u:secret@h:port/d')).toThrow(/^(?!.*secret).*u:\*\*\*@h:port\/d cannot be read/);
});

test('what is no database URL is refused without being repeated', () => {
  expect(() => postgresAddress('hunter2')).toThrow(/^(?!.*hunter2).*postgres:\/\/user/);
});
