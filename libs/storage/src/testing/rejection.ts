import { isError } from '../storage-error';

/** The error that a promise was rejected with. @throws Error when it was fulfilled */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (e) {
    if (isError(e)) return e;
    throw e;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
}
