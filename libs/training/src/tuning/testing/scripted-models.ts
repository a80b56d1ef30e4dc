import type { Value } from '@lockstep/search';
import type { HyperParameters } from '../hyper-parameters';

/** Declares parameters, and gives the values that it got; null for an inactive one. */
export type ScriptedModel = (hp: HyperParameters) => readonly (Value | null)[];

/** What hyper-parameters-golden.py declares, name by name. */
export const SCRIPTED_MODELS: Readonly<Record<'kinds' | 'scopes' | 'branches' | 'names', ScriptedModel>> = {
  kinds: (hp) => [
    hp.Int('layers', { minValue: 1, maxValue: 4 }),
    hp.Int('units', { minValue: 8, maxValue: 512, step: 2, sampling: 'log', default: 64 }),
    hp.Int('every', { minValue: 3, maxValue: 12, step: 4 }),
    hp.Float('rate', { minValue: 1e-4, maxValue: 1e-1, sampling: 'log' }),
    hp.Float('dropout', { minValue: 0, maxValue: 0.5, step: 0.1, default: 0.2 }),
    hp.Float('decay', { minValue: 0.5, maxValue: 0.999, sampling: 'reverse_log' }),
    hp.Choice('activation', ['relu', 'tanh']),
    hp.Choice('batch', [16, 32, 64], { default: 32 }),
    hp.Choice('momentum', [0, 0.5, 0.9], { ordered: false }),
    hp.Boolean('bias', { default: true }),
    hp.Boolean('norm'),
    hp.Fixed('seed', 7),
    hp.get('rate'),
    hp.Int('layers', { minValue: 2, maxValue: 9 }),
  ],

  scopes: (hp) => {
    const type = hp.Choice('type', ['mlp', 'cnn']);
    hp.conditionalScope('type', ['mlp'], () => {
      hp.Int('units', { minValue: 8, maxValue: 64, step: 8 });
      hp.Boolean('deep');
      hp.conditionalScope('deep', [true], () => hp.Int('depth', { minValue: 2, maxValue: 5 }));
    });
    hp.conditionalScope('type', ['cnn'], () => {
      hp.Int('units', { minValue: 4, maxValue: 16 });
      hp.Int('filters', { minValue: 8, maxValue: 32 });
    });
    hp.Float('rate', { minValue: 0.1, maxValue: 1, parentName: 'type', parentValues: ['cnn', 'mlp'] });
    hp.Float('cnn_rate', { minValue: 0.1, maxValue: 1, parentName: 'type', parentValues: 'cnn' });
    return [type];
  },

  branches: (hp) => {
    const type = hp.Choice('type', ['mlp', 'cnn', 'rnn']);
    const mlp = hp.conditionalScope('type', ['mlp'], (active) => (active ? [hp.Int('mlp_units', { minValue: 8, maxValue: 64 })] : []));
    const wide = hp.conditionalScope('type', ['cnn', 'rnn'], (active) => {
      if (!active) return [];
      const width = hp.Int('wide', { minValue: 1, maxValue: 3 });
      return [width, ...(hp.conditionalScope('wide', 3, (isWide) => (isWide ? [hp.Boolean('deepest')] : [])) ?? [])];
    });
    return [type, ...(mlp ?? []), ...(wide ?? []), hp.Float('rate', { minValue: 0.1, maxValue: 1 })];
  },

  names: (hp) => hp.nameScope('encoder', () => {
    const units = [0, 1].map((i) => hp.nameScope(`block_${i}`, () => hp.Int('units', { minValue: 8, maxValue: 64 })));
    const norm = hp.Boolean('norm');
    const scale = hp.conditionalScope('norm', [false], () => hp.Float('scale', { minValue: 0.5, maxValue: 2 }));
    return [...units, norm, scale ?? null, hp.get('block_1/units')];
  }),
};
