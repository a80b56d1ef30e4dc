/** What a job is doing at a position. */
export type Phase = 'TRAIN' | 'EVAL' | 'CALLBACKS' | 'EXPORT';

export const PHASES: readonly Phase[] = ['TRAIN', 'EVAL', 'CALLBACKS', 'EXPORT'];

/**
 * Where a job stands: the number of the collective call, Keras's epoch in it, the phase, and the step in the phase.
 * All members of a generation go through the same positions in the same order.
 */
export interface Position {
  readonly call: number;
  readonly epoch: number;
  readonly phase: Phase;
  readonly step: number;
}

/** `call 2 epoch 0 TRAIN step 17`: for errors and logs. */
export const formatPosition = (p: Position): string => `call ${p.call} epoch ${p.epoch} ${p.phase} step ${p.step}`;

export const samePosition = (a: Position, b: Position): boolean =>
  a.call === b.call && a.epoch === b.epoch && a.phase === b.phase && a.step === b.step;
