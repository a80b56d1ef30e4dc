/**
 * Studies and trials as JSON: maps as lists of pairs, since a name may be `__proto__`, and numbers that JSON lacks as tagged text.
 */
import { types } from 'node:util';
import { isHeld, type KnownSpace, type TrackedMeasurement, type TrackedStudy, type TrackedTrial } from '@lockstep/search';
import { StorageError } from '@lockstep/storage';

/** No key of ours, and of no memo. */
const NUMBER_KEY = '$number';

const write = (value: unknown): string => JSON.stringify(value, (_key, part: unknown) => {
  if (typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0))) return { [NUMBER_KEY]: Object.is(part, -0) ? '-0' : String(part) };
  // What comes from another thread may be of another realm, where instanceof is false.
  return types.isMap(part) ? { $map: [...part] } : part;
});

function read(text: string, what: string): unknown {
  try {
    return JSON.parse(text, (_key, part: unknown) => {
      if (typeof part !== 'object' || part === null) return part;
      if (NUMBER_KEY in part) return Number(part[NUMBER_KEY]);
      return '$map' in part ? new Map(part.$map as [unknown, unknown][]) : part;
    });
  } catch (e) {
    throw new StorageError('DATA_LOSS', `what is stored of ${what} cannot be read: restore the data folder from a backup`, {}, { cause: e });
  }
}

/** A trial without its measurements. When its holder was last heard of is left out: after a restart it has a whole lease again. */
export function encodeTrial({ measurements: _, ...trial }: TrackedTrial): string {
  const { state } = trial;
  return write({ ...trial, state: isHeld(state) ? { ...state, heardMs: 0 } : state });
}

/** @param nowMs when the holder of a running trial is taken to have been heard of */
export function decodeTrial(text: string, measurements: readonly TrackedMeasurement[], nowMs: number): TrackedTrial {
  const trial = read(text, 'a trial') as Omit<TrackedTrial, 'measurements'>;
  const { state } = trial;
  return { ...trial, state: isHeld(state) ? { ...state, heardMs: nowMs } : state, measurements };
}

/** A study without its space and its pending trials. */
export const encodeStudy = ({ pending: _pending, space: _space, ...study }: TrackedStudy): string => write(study);

export const decodeStudy = (text: string, space: string, pending: readonly TrackedTrial[]): TrackedStudy => ({
  ...read(text, 'a study') as Omit<TrackedStudy, 'pending' | 'space'>, space: read(space, 'a search space') as KnownSpace, pending: new Map(pending.map((trial) => [trial.number, trial])),
});

export const encodeSpace = (space: KnownSpace): string => write(space);

export const encodeMeasurement = ({ epoch, execution, metrics }: TrackedMeasurement): string => write({ epoch, execution, metrics });

export const decodeMeasurement = (text: string): TrackedMeasurement => read(text, 'a measurement') as TrackedMeasurement;
