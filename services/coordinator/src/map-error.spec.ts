import { DatabaseError } from '@lockstep/storage';
import { CoordinatorError } from './coordinator-error';
import { mapCoordinatorError } from './map-error';

test.each<[string, Error, string, RegExp]>([
  ['a refusal', new CoordinatorError('BAD_TOKEN', 'no token'), 'UNAUTHENTICATED', /^no token$/],
  ['a database that is away', new DatabaseError('UNREACHABLE', 'db:5432 does not answer'), 'UNAVAILABLE', /cannot use its database now: db:5432 does not answer.*try again/],
  ['no file descriptors', Object.assign(new Error('EMFILE'), { code: 'EMFILE' }), 'RESOURCE_EXHAUSTED', /no file descriptors left.*ulimit -n/],
])('%s', (_what, error, code, message) => {
  expect(mapCoordinatorError(error)).toMatchObject({ code, message: expect.stringMatching(message) as string });
});

test.each([new DatabaseError('LEASE_LOST', 'another leads'), new Error('a fault of our own')])('is the server\'s: %s', (error) => {
  expect(mapCoordinatorError(error)).toBeUndefined();
});
