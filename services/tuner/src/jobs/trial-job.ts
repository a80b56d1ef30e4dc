/** The job that evaluates a trial. Pure. */
import { create } from '@bufbuild/protobuf';
import { DiscoveryRunSchema, TrainJobSpecSchema, TrialRunSchema, TunerJobSchema, type TrainJobSpec } from '@lockstep/contract';
import { activeParameters, formatHyperparameters, type SearchSpace, type TrackedStudy, type TrackedTrial } from '@lockstep/search';

/** What a trial's job needs to be told of it. */
export type TrialTask = Pick<TrackedTrial, 'values' | 'fidelity'>;

/**
 * The job of a trial: the same as long as the trial is. It is told of the parameters that the trial has values of and of no others, since the space may grow
 * while it runs, and who takes the trial up asks again. All trials have the template's seed, so that one which is promoted draws on where its parent stopped.
 *
 * @param startFrom the parent's checkpoint, artifacts/{artifact}/versions/{version}, of a trial that has one
 */
export function trialJob(template: TrainJobSpec, space: SearchSpace, { values, fidelity }: TrialTask, startFrom: string | undefined): TrainJobSpec {
  const epochs = fidelity.kind === 'RUNG' ? { initialEpoch: fidelity.initialEpoch, epochs: fidelity.epochs } : {};
  const trial = create(TrialRunSchema, { hyperparametersJson: formatHyperparameters({ space: activeParameters(space, values).filter(({ name }) => values.has(name)), values }), ...epochs, ...(startFrom !== undefined && { startFrom }) });
  return create(TrainJobSpecSchema, { ...template, tuner: create(TunerJobSchema, { part: { case: 'trial', value: trial } }) });
}

/** The job that finds what there is to search; it commits nothing. */
export function discoveryJob(template: TrainJobSpec): TrainJobSpec {
  return create(TrainJobSpecSchema, { ...template, output: '', tuner: create(TunerJobSchema, { part: { case: 'discovery', value: create(DiscoveryRunSchema) } }) });
}

/**
 * The request id of a try: whoever takes up the trial again finds the job that runs for it. A study that has the name of a deleted one
 * has jobs of its own.
 */
export const trialRequestId = ({ name, createdMs }: Pick<TrackedStudy, 'name' | 'createdMs'>, { number, attempts }: Pick<TrackedTrial, 'number' | 'attempts'>): string =>
  `${name.replace('/', '.')}.${createdMs.toString(36)}.${number}.${attempts}`;
