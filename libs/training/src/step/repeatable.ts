import { createHash } from 'node:crypto';
import type { Position } from '@lockstep/reduction';
import type { Tensor } from '@tensorflow/tfjs-core';
import { TrainingError } from '../errors';
import { toList, type LayerInternals } from '../tfjs';
import type { Contribution } from './contribution';
import { disposeContribution } from './contribution';
import { bitsOf } from './tensor-bits';

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;

function sameBits(left: Contribution, right: Contribution): boolean {
  const tails = [left, right].map(({ tail }) => new Uint8Array(tail.buffer, tail.byteOffset, tail.byteLength)) as [Uint8Array, Uint8Array];
  return sameBytes(...tails) && left.tensors.every((tensor, i) => {
    const other = right.tensors[i];
    return other !== undefined && sameBytes(bitsOf(tensor), bitsOf(other));
  });
}

/**
 * Computes the same replica once more and compares: a layer that counts its calls, or draws from a generator of its own,
 * keeps a state that nobody else sees, and can be found in no other way.
 * @param compute must not change the state
 * @throws TrainingError (NOT_REPEATABLE) that names the first layer whose output differs for the same input
 */
export function checkRepeatable(first: Contribution, compute: () => Contribution, layers: readonly LayerInternals[], position: Position): void {
  const second = compute();
  const same = sameBits(first, second);
  disposeContribution(second);
  if (same) return;
  const [before, after] = [recordOutputs(layers, compute), recordOutputs(layers, compute)];
  const at = before.findIndex((call, i) => call.output !== after[i]?.output && call.input === after[i]?.input);
  const layer = before[at]?.layer;
  throw new TrainingError(
    'NOT_REPEATABLE',
    `the same replica, computed twice with the same state, rows and random numbers, gave different bits${layer === undefined ? '' : `, first in layer ${layer}`}. ` +
      'A layer, loss or metric keeps a state in JavaScript or draws random numbers of its own: keep state in a weight (this.addWeight(..., trainable false)), and draw from Math.random or unseeded tf ops.',
    { position, ...(layer === undefined ? {} : { layer }) },
  );
}

interface RecordedCall {
  readonly layer: string;
  readonly input: string;
  readonly output: string;
}

/** Hashes what goes into and comes out of every layer's call during one computation. */
function recordOutputs(layers: readonly LayerInternals[], compute: () => Contribution): readonly RecordedCall[] {
  const calls: RecordedCall[] = [];
  const hash = (tensors: Tensor | readonly Tensor[]): string => {
    const digest = createHash('sha256');
    for (const tensor of toList<Tensor>(tensors)) digest.update(bitsOf(tensor));
    return digest.digest('hex');
  };
  for (const layer of layers) {
    const own = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => {
      const input = hash(inputs);
      const output = own(inputs, kwargs);
      calls.push({ layer: layer.name, input, output: hash(output) });
      return output;
    };
  }
  try {
    disposeContribution(compute());
  } finally {
    for (const layer of layers) Reflect.deleteProperty(layer, 'call');
  }
  return calls;
}
