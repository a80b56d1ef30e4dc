import type { History, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import type { ResultCodec } from '../calls/call-sequence';
import { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';

type Pairs = readonly (readonly [string, readonly number[]])[];

/** A tfjs History, filled as tfjs's own callback fills it. */
export class HistoryRecorder {
  readonly history: History;
  private readonly series: Record<string, number[]> = {};

  constructor(
    tf: Tf,
    private readonly epochs: number[] = [],
    pairs: Pairs = [],
  ) {
    this.history = new tf.History();
    this.history.epoch = epochs;
    for (const [name, values] of pairs) this.series[name] = [...values];
    this.history.history = this.series;
  }

  add(epoch: number, logs: Logs): void {
    this.epochs.push(epoch);
    for (const [name, value] of Object.entries(logs)) (this.series[name] ??= []).push(value);
  }

  get pairs(): Pairs {
    return Object.entries(this.series).map(([name, values]) => [name, [...values]] as const);
  }
}

/** History in the call log: pairs, because the order of its keys is part of it. */
export function historyCodec(tf: Tf): ResultCodec<History> {
  return {
    pack: (history): JsonValue => ({
      epoch: [...history.epoch],
      history: Object.entries(history.history).map(([name, values]) => [name, values.map((value) => (typeof value === 'number' ? value : (value.dataSync()[0] ?? NaN)))]),
    }),
    unpack: (json) => {
      const reader = new JsonReader(json, 'call.result');
      const epochs = reader.field('epoch').list((epoch) => epoch.integer(0));
      const pairs = reader.field('history').list((pair) => [pair.item(0).string(), pair.item(1).list((value) => value.number())] as const);
      return new HistoryRecorder(tf, [...epochs], pairs).history;
    },
  };
}

/** A list of numbers in the call log. */
export const numbersCodec: ResultCodec<readonly number[]> = {
  pack: (numbers) => numbers,
  unpack: (json) => new JsonReader(json, 'call.result').list((value) => value.number()),
};
