/**
 * The first element of a pass over a dataset of the module's own, which every member iterates for itself.
 *
 * 1. Members that begin a pass together agree on it before its first step.
 * 2. A process that enters a pass in its middle iterates it again from its start, and must find what the others found.
 */
import { createHash } from 'node:crypto';
import { CollectiveError, type Position } from '@lockstep/reduction';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import { bitsOf } from '../step/tensor-bits';
import type { BatchTensors } from './dataset-element';

/** Digest of a pass without elements. */
const NOTHING = 'nothing';

const SHOWN_DIGITS = 12;

const HOW = 'A dataset must give the same elements whenever and wherever it is iterated: tf.data.generator over a function that makes a new iterator, tf.data.array, csv; no clock, no state that lasts, no iterator that was used before.';

export class FirstElement {
  /** @param known digest that others found, null where this process begins the pass with them */
  constructor(private readonly context: TrainingContext, private known: string | null) {}

  /** Part of the state. */
  get digest(): string | null {
    return this.known;
  }

  /** The pass is over; the next one has another first element. */
  forget(): void {
    this.known = null;
  }

  /**
   * @param tensors of the first element, undefined when there is none
   * @param position of the step that reads it
   * @throws TrainingError (DATASET_NOT_REPLAYABLE); CollectiveError
   */
  check(tensors: BatchTensors | undefined, position: Position): void {
    const { collective, replay } = this.context;
    if (replay === 'NONE') return;
    const digest = tensors ? digestOf(tensors, replay) : NOTHING;
    if (this.known !== null) {
      if (this.known === digest) return;
      throw new TrainingError('DATASET_NOT_REPLAYABLE', `the dataset begins with ${shown(digest)}, and began with ${shown(this.known)} where this pass was begun: it cannot be read again from its start. ${HOW}`, { position });
    }
    try {
      collective.agree(position, { digest: createHash('sha256').update(digest).digest(), label: `a dataset that begins with ${shown(digest)}` });
    } catch (e) {
      if (!(e instanceof CollectiveError) || e.reason !== 'CALL_MISMATCH') throw e;
      throw new TrainingError('DATASET_NOT_REPLAYABLE', `the members iterate other data: ${e.message}. ${HOW}`, {}, { cause: e });
    }
    this.known = digest;
  }
}

/**
 * Refuses what can be iterated once alone, where it may have to be iterated again.
 *
 * @param call in words: `fitDataset()`
 * @param data what it was given
 * @throws TrainingError (DATASET_NOT_REPLAYABLE)
 */
export function refuseIterators({ replay }: TrainingContext, call: string, data: unknown): void {
  if (replay === 'NONE' || typeof data !== 'object' || data === null || !('next' in data)) return;
  throw new TrainingError(
    'DATASET_NOT_REPLAYABLE',
    `${call} was given an iterator, which gives its elements once. In a job with several workers or with checkpoints, a process that joins or resumes reads the data again from its start: ` +
      'pass the tf.data.Dataset itself, or train on one worker without checkpoints.',
  );
}

/** A pass is over before the step up to which it was read. */
export const endedEarly = (elements: number, doneSteps: number, position: Position): TrainingError =>
  new TrainingError('DATASET_NOT_REPLAYABLE', `the dataset gives ${elements} elements, and ${doneSteps} were read of this pass before: it cannot be read again from its start. ${HOW}`, { position });

/** An epoch found no data where the one before had some: whatever was iterated is used up. */
export const usedUp = (epoch: number, position: Position): TrainingError =>
  new TrainingError('DATASET_NOT_REPLAYABLE', `the dataset has no element in epoch ${epoch}, and had some before: it can be read once alone. ${HOW}`, { position });

const shown = (digest: string): string => digest.slice(0, SHOWN_DIGITS);

/** SHA-256 over types and shapes, and over the bits where they are compared; lowercase hex. */
function digestOf({ inputs, targets }: BatchTensors, replay: 'SAME_BITS' | 'SAME_SHAPES'): string {
  const hash = createHash('sha256');
  for (const tensor of [...inputs, ...targets]) {
    hash.update(`${tensor.dtype}[${tensor.shape.join(',')}]`);
    if (replay === 'SAME_BITS') hash.update(bitsOf(tensor));
  }
  return hash.digest('hex');
}
