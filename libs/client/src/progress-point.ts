import { create } from '@bufbuild/protobuf';
import { ProgressKind as ProgressKindNumber, ProgressPointSchema, type ProgressPoint as ProgressPointMessage } from '@lockstep/contract';
import { PROGRESS_KINDS, type ProgressKind, type ProgressPoint } from '@lockstep/membership';

const NUMBERS: Record<ProgressKind, ProgressKindNumber> = {
  CALL_STARTED: ProgressKindNumber.CALL_STARTED, STEP: ProgressKindNumber.STEP,
  EPOCH_ENDED: ProgressKindNumber.EPOCH_ENDED, CALL_ENDED: ProgressKindNumber.CALL_ENDED,
};

/** A point of a job's progress as sessions carry it. */
export const toProgressPoint = ({ call, epoch, step, kind }: ProgressPoint): ProgressPointMessage =>
  create(ProgressPointSchema, { call, epoch, step, kind: NUMBERS[kind] });

/** @returns undefined for a message that is absent, or of a kind that this version does not know */
export function fromProgressPoint(message: ProgressPointMessage | undefined): ProgressPoint | undefined {
  const kind = PROGRESS_KINDS.find((one) => NUMBERS[one] === message?.kind);
  return message && kind ? { call: message.call, epoch: message.epoch, step: message.step, kind } : undefined;
}
