import { RpcError } from '@lockstep/rpc';
import { withRetry } from './retry';

const policy = { attempts: 4, firstDelayMs: 1, maxDelayMs: 2 };

test.each<readonly [string, RpcError, number]>([
  ['UNAVAILABLE', new RpcError('UNAVAILABLE', ''), 4],
  ['DEADLINE_EXCEEDED', new RpcError('DEADLINE_EXCEEDED', ''), 4],
  ['RESOURCE_EXHAUSTED with a retry delay', new RpcError('RESOURCE_EXHAUSTED', '', { retryAfterMs: 1 }), 4],
  ['RESOURCE_EXHAUSTED without one, a full disk', new RpcError('RESOURCE_EXHAUSTED', '', { reason: 'DISK_FULL' }), 1],
  ['OFFSET_MISMATCH', new RpcError('OUT_OF_RANGE', '', { reason: 'OFFSET_MISMATCH' }), 4],
  ['FAILED_PRECONDITION', new RpcError('FAILED_PRECONDITION', '', { reason: 'FENCED' }), 1],
  ['DATA_LOSS', new RpcError('DATA_LOSS', ''), 1],
])('after %s the call is made again, or not', async (_, error, tries) => {
  const attempts: number[] = [];
  await expect(withRetry(policy, undefined, (attempt) => {
    attempts.push(attempt);
    return Promise.reject(error);
  })).rejects.toBe(error);
  expect(attempts).toEqual(Array.from({ length: tries }, (_x, i) => i));
});

test('the first success is the answer', async () => {
  expect(await withRetry(policy, undefined, (attempt) => (attempt < 2 ? Promise.reject(new RpcError('UNAVAILABLE', '')) : Promise.resolve(attempt)))).toBe(2);
});

test('a caller that has left is not kept waiting', async () => {
  const abort = new AbortController();
  let tries = 0;
  await expect(withRetry({ ...policy, firstDelayMs: 1e6, maxDelayMs: 1e6 }, abort.signal, () => {
    tries++;
    queueMicrotask(() => abort.abort());
    return Promise.reject(new RpcError('UNAVAILABLE', 'gone'));
  })).rejects.toThrow();
  expect(tries).toBe(1);
});
