import { formatNumber } from '../output';
import { printable } from '../terminal-text';
import { toValues } from '@lockstep/client';
import type { Rung, Trial } from '@lockstep/contract';
import type { Value, Values } from '@lockstep/search';

/** A longer text value is cut. */
const MAX_TEXT = 24;

/** A value for people: four digits of a number, a text without quotes. */
export function formatValue(value: Value): string {
  if (typeof value === 'number') return formatNumber(value);
  const points = [...String(value)];
  return printable(points.length > MAX_TEXT ? `${points.slice(0, MAX_TEXT - 1).join('')}…` : points.join(''));
}

/** `rate 0.0123  units 24`, in the order of the space. */
export const formatValues = (values: Values): string => [...values].map(([name, value]) => `${printable(name)} ${formatValue(value)}`).join('  ');

/** Scores of a trial, each in its own direction. */
export const formatScores = (scores: readonly number[]): string => scores.map((score) => (Number.isNaN(score) ? '-' : formatNumber(score))).join('  ');

/** Where a trial stands in a successive halving: bracket and round. */
export const formatRung = (rung: Rung | undefined): string => (rung ? `b${rung.bracket} r${rung.round}` : '');

/** What there is to say of a trial beyond its state: why it is what it is. As it was told: see `printable`. */
export function stateMessage({ state }: Trial): string {
  switch (state.case) {
    case 'requested':
    case 'stopping': return state.value.detail;
    case 'infeasible': return state.value.reason;
    case 'failed': return state.value.error;
    case 'running':
    case 'succeeded':
    case 'cancelled':
    case undefined: return '';
  }
}

export const trialValues = (trial: Trial): Values => toValues(trial.values);
