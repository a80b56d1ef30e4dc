import { DatabaseError, StorageError } from '@lockstep/storage';
import { mapError } from './error-mapper';

test('a database that is away is a reason to try again, and no fault of the request', () => {
  expect(mapError(new DatabaseError('CONNECTION_LOST', 'db:5432 ended the connection'))).toMatchObject({
    code: 'UNAVAILABLE', message: expect.stringMatching(/cannot use its database now: db:5432 ended the connection.*try again/) as string, details: { retryAfterMs: 1000 },
  });
});

test('no file descriptors: what is short, and what to do', () => {
  const cause = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  expect(mapError(new StorageError('IO', 'could not write blob ab12 at /data', {}, { cause }))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringMatching(/blob ab12.*no file descriptors left.*ulimit -n/) as string });
  expect(mapError(new StorageError('IO', 'could not write blob ab12 at /data'))).toMatchObject({ code: 'INTERNAL' });
});
