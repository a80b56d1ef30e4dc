import { resolveOptions, type ExchangeOptions } from './options';

test('defaults', () => {
  expect(resolveOptions({})).toEqual({
    host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1', token: undefined, timeoutMs: 60_000, connectTimeoutMs: 60_000,
    windowBytes: 16_777_216, earlyBytes: 67_108_864, arenaBytes: 4_294_967_296, constants: { oneShotBytes: 65_536, chunkBytes: 1_048_576, headerBytes: 64 },
  });
});

test('a wildcard host needs a name for peers', () => {
  expect(() => resolveOptions({ host: '0.0.0.0' })).toThrow('advertisedHost is 0.0.0.0, which no peer can dial');
  expect(resolveOptions({ host: '0.0.0.0', advertisedHost: 'worker-1' })).toMatchObject({ host: '0.0.0.0', advertisedHost: 'worker-1' });
});

test.each<[ExchangeOptions, string]>([
  [{ port: 70_000 }, 'port is 70000'],
  [{ timeoutMs: 0 }, 'timeoutMs is 0'],
  [{ connectTimeoutMs: Number.NaN }, 'connectTimeoutMs is NaN'],
  [{ chunkBytes: 100 }, 'not a multiple of 64'],
  [{ chunkBytes: 2 ** 28 }, 'chunkBytes is 268435456'],
  [{ oneShotBytes: 2 ** 21 }, 'oneShotBytes is 2097152'],
  [{ windowBytes: 1 }, 'windowBytes is 1'],
  [{ earlyBytes: 0 }, 'earlyBytes is 0'],
  [{ arenaBytes: 2 ** 33 }, 'arenaBytes is 8589934592'],
])('%j: %s', (options, message) => {
  expect(() => resolveOptions(options)).toThrow(message);
});

test('all faults are named at once', () => {
  expect(() => resolveOptions({ port: -1, timeoutMs: 1.5 })).toThrow(/port is -1.*; timeoutMs is 1.5/);
});
