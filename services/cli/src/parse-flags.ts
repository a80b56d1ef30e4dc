import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';

const WHOLE = /^\d{1,15}$/;

/** A whole number >= `least`. */
export const wholeNumber = (least: number) => (text: string): number => {
  const value = Number(text);
  if (!WHOLE.test(text) || value < least) throw new InvalidArgumentError(`must be a whole number of at least ${least}.`);
  return value;
};

/** `3` or `1:4`: how many workers at least and at most. */
export function workerCount(text: string): { readonly min: number; readonly max: number } {
  const match = /^(\d{1,4})(?::(\d{1,4}))?$/.exec(text);
  const min = Number(match?.[1]);
  const max = Number(match?.[2] ?? match?.[1]);
  if (!match || min < 1 || max < min) throw new InvalidArgumentError('must be a number of workers, or MIN:MAX.');
  return { min, max };
}

/** A JSON object, or @file that holds one. */
export function jsonObject(text: string): string {
  const source = text.startsWith('@') ? readText(text.slice(1)) : text;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (e) {
    throw new InvalidArgumentError(`is not JSON: ${e instanceof Error ? e.message : String(e)}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidArgumentError('must be a JSON object, or @FILE that holds one.');
  return JSON.stringify(value);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (e) {
    throw new InvalidArgumentError(`cannot read ${file}: ${e instanceof Error ? e.message : String(e)}.`);
  }
}

/** Seconds with a unit: 90s, 10m, 2h. */
export function duration(text: string): number {
  const match = /^(\d{1,9})(s|m|h)$/.exec(text);
  const seconds = Number(match?.[1]) * { s: 1, m: 60, h: 3600 }[match?.[2] as 's' | 'm' | 'h'];
  if (!match || seconds <= 0) throw new InvalidArgumentError('must be a duration like 90s, 10m or 2h.');
  return seconds;
}

/** Collects a flag that may be repeated. */
export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
