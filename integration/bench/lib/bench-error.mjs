/** Why a benchmark could not be measured, in a sentence for its reader: printed without a stack. */
export class BenchError extends Error {
  constructor(message) {
    super(message);
    this.name = 'BenchError';
  }
}
