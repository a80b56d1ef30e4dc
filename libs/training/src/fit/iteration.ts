/** Epochs of a call that have iterations of their own. */
const MAX_EPOCHS = 2 ** 20;

/** Every epoch of every call reads in an order of its own. */
export const iterationOf = (call: number, epoch: number): number => call * MAX_EPOCHS + (epoch % MAX_EPOCHS);
