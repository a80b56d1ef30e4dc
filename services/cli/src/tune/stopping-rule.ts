import { create } from '@bufbuild/protobuf';
import { CurveStoppingSchema, MedianStoppingSchema, RungStoppingSchema, type StudySpec } from '@lockstep/contract';
import { InvalidArgumentError } from 'commander';

const FORM = /^(?:(?<median>median)|(?<kind>curve|rungs):(?<epochs>[1-9]\d{0,8}))$/;

/** By which rule trials are given up before their end: median, curve:EPOCHS or rungs:EPOCHS, with the epochs of a whole trial. */
export function stoppingRule(text: string): StudySpec['stopping'] {
  const { median, kind, epochs } = FORM.exec(text)?.groups ?? {};
  if (median !== undefined) return { case: 'medianStopping', value: create(MedianStoppingSchema) };
  const maxEpochs = Number(epochs);
  if (kind === 'curve') return { case: 'curveStopping', value: create(CurveStoppingSchema, { maxEpochs }) };
  if (kind === 'rungs') return { case: 'rungStopping', value: create(RungStoppingSchema, { maxEpochs }) };
  throw new InvalidArgumentError('It must be median, curve:EPOCHS or rungs:EPOCHS, with the epochs of a whole trial.');
}
