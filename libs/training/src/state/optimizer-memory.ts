/**
 * What an optimizer remembers between steps, whatever its class: numbers (learning rate, iterations, ...), variables
 * (Adam's powers of beta) and slots (one variable a trained weight, in lists). tfjs's own getWeights/setWeights are not
 * exact: Adam's recomputes its powers, and Adamax has none.
 */
import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { TrainingError } from '../errors';
import { HeldVariables } from '../step/held-variables';
import { isTensor, isVariable, type Tf } from '../tfjs';

/** A slot as tfjs's optimizers keep it. */
export interface OptimizerSlot {
  originalName: string;
  variable: Variable;
}

type Field =
  | { readonly kind: 'NUMBER'; readonly name: string; readonly value: number | boolean | null }
  | { readonly kind: 'VARIABLE'; readonly name: string; readonly variable: Variable }
  | { readonly kind: 'SLOTS'; readonly name: string; readonly slots: OptimizerSlot[] };

/** Tensors that SGD and Momentum derive from their numbers. */
const DERIVED = new Set(['c', 'm']);

const isSlots = (value: unknown): value is OptimizerSlot[] =>
  Array.isArray(value) && value.every((item: unknown) => typeof item === 'object' && item !== null && 'originalName' in item && 'variable' in item);

export class OptimizerMemory {
  private readonly fields: Record<string, unknown>;

  constructor(
    private readonly tf: Tf,
    readonly optimizer: Optimizer,
  ) {
    this.fields = optimizer as unknown as Record<string, unknown>;
  }

  get className(): string {
    return this.optimizer.getClassName();
  }

  /**
   * All fields, sorted by name.
   * @throws TrainingError (UNSUPPORTED_OPTIMIZER) that names a field of another kind
   */
  read(): readonly Field[] {
    return Object.keys(this.fields)
      .sort()
      .flatMap((name): Field[] => {
        const value = this.fields[name];
        if (value === undefined || typeof value === 'function') return [];
        if (value === null || typeof value === 'number' || typeof value === 'boolean') return [{ kind: 'NUMBER', name, value }];
        if (isVariable(this.tf, value)) return [{ kind: 'VARIABLE', name, variable: value }];
        if (isSlots(value)) return [{ kind: 'SLOTS', name, slots: value }];
        if (isTensor(this.tf, value) && DERIVED.has(name)) return [];
        throw new TrainingError(
          'UNSUPPORTED_OPTIMIZER',
          `optimizer ${this.className} keeps something in its field ${name} that is no number, no tf.Variable and no list of {originalName, variable}: it could not be handed to another worker. Keep it in one of these.`,
        );
      });
  }

  /** Sets a number, with what the optimizer derives from it. */
  setNumber(name: string, value: number | boolean | null): void {
    if (name === 'learningRate' && typeof value === 'number') this.setLearningRate(value);
    else this.fields[name] = value;
  }

  setSlots(name: string, slots: OptimizerSlot[]): void {
    this.fields[name] = slots;
  }

  /** SGD and Momentum step by a tensor made from the learning rate; tfjs ignores a learning rate that is assigned. */
  syncLearningRate(): void {
    const rate = this.fields['learningRate'];
    const derived = this.fields['c'];
    if (typeof rate !== 'number' || !isTensor(this.tf, derived)) return;
    if (derived.dataSync()[0] !== Math.fround(-rate)) this.setLearningRate(rate);
  }

  /** Remembers everything, to be restored when a step fails; dispose() in any case. */
  remember(): { restore(): void; dispose(): void } {
    const fields = this.read();
    const variables = fields.flatMap((field) => (field.kind === 'VARIABLE' ? [field.variable] : field.kind === 'SLOTS' ? field.slots.map((slot) => slot.variable) : []));
    const held = new HeldVariables(this.tf, variables);
    const lists = fields.flatMap((field) => (field.kind === 'SLOTS' ? [{ slots: field.slots, length: field.slots.length }] : []));
    return {
      restore: () => {
        held.restore();
        for (const { slots, length } of lists) {
          for (const slot of slots.splice(length)) slot.variable.dispose();
        }
        for (const field of fields) if (field.kind === 'NUMBER') this.setNumber(field.name, field.value);
      },
      dispose: () => held.dispose(),
    };
  }

  private setLearningRate(rate: number): void {
    const setter = this.fields['setLearningRate'];
    if (typeof setter === 'function') Reflect.apply(setter, this.optimizer, [rate]);
    else this.fields['learningRate'] = rate;
  }
}
