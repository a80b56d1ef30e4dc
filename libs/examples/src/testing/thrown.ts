import { ExamplesError } from '../examples-error';

/** The ExamplesError that a call throws or rejects with; fails when there is none or another error. */
export async function thrownBy(run: () => unknown): Promise<ExamplesError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ExamplesError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
