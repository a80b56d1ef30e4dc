/**
 * One number for every pass over data in a job: a function of the position, so that it is the same whoever reads, and
 * however often.
 */

/** Epochs of a call that have iterations of their own. */
const MAX_EPOCHS = 2 ** 20;

/** Passes of an iteration that have numbers of their own; with 100,000 calls a job's numbers stay below 2^53. */
const PASSES_AN_ITERATION = 2 ** 16;

/** Number of the iteration over its data that an epoch of a collective call makes: each reads in an order of its own. */
export const iterationOf = (call: number, epoch: number): number => call * MAX_EPOCHS + (epoch % MAX_EPOCHS);

/** Number in the job of a pass of an iteration, whose passes count from 0. */
export const passOf = (iteration: number, pass: number): number => iteration * PASSES_AN_ITERATION + pass;
