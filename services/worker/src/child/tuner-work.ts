/** The jobs of a tuner: what there is to search, and one trial of it. */
import { readFile } from 'node:fs/promises';
import { create } from '@bufbuild/protobuf';
import {
  DiscoveryOutcomeSchema, TrialOutcomeSchema, TuningObjective_Direction as DirectionNumber, type DiscoveryOutcome, type JobResult, type TrialOutcome, type TrialRun,
} from '@lockstep/contract';
import { fileOfBytes, type VersionCache } from '@lockstep/client';
import { formatHyperparameters, parseHyperparameters, type Direction } from '@lockstep/search';
import { discover, runTrial, TrainingError, type Discovery, type TrainingState, type TrialResult } from '@lockstep/training';
import { CHECKPOINT_FILE, CHECKPOINT_TYPE } from './checkpoint-writer';
import { commitNothing, commitResult } from './commit-result';
import { decodeJobState, digestOf, encodeJobState } from './job-state-file';
import type { ModuleWork, WorkParts } from './module-work';

/** A result is kept with its job and told in an event: bytes of a space, or of a trial's objectives. */
const MAX_RESULT_BYTES = 4 << 20;

const DIRECTIONS: Readonly<Record<Direction, DirectionNumber>> = { MIN: DirectionNumber.MIN, MAX: DirectionNumber.MAX };

/** @throws TrainingError, or what the module throws */
export async function runDiscovery({ run, call, fnArgs }: WorkParts): Promise<ModuleWork> {
  const outcome = toDiscoveryOutcome(await discover(run.backend.tf, call, fnArgs));
  checkSize('the search space', outcome.hyperparametersJson.length + outcome.optionsJson.length);
  return {
    hasResult: true,
    commit: async (commit): Promise<JobResult> => ({ ...await commitNothing(commit, 'TunerDiscovery'), tuner: { case: 'discovery', value: outcome } }),
  };
}

/** @throws TrainingError, StateError, or what the module throws */
export async function runTrialJob({ run, call, fnArgs, training }: WorkParts, trial: TrialRun, cache: VersionCache): Promise<ModuleWork> {
  const result = await runTrial(run.backend.tf, training, call, fnArgs, {
    hyperparameters: parseHyperparameters(trial.hyperparametersJson, 'hyperparameters_json'),
    initialEpoch: trial.initialEpoch,
    epochs: trial.epochs === 0 ? undefined : trial.epochs,
    executions: trial.executions === 0 ? undefined : trial.executions,
    startFrom: trial.startFrom === '' ? undefined : await readCheckpoint(trial.startFrom, cache),
  });
  const outcome = toTrialOutcome(result);
  checkSize('the outcome of the trial', outcome.hyperparametersJson.length + 8 * sum(result.executions.flatMap(({ objectives }) => objectives.map(({ values }) => values.length))));
  return {
    hasResult: true,
    commit: async (commit): Promise<JobResult> => {
      const { bytes } = encodeJobState(commit);
      const { result: job, version } = await commitResult(commit, 'TunerTrial', (put) =>
        commit.artifacts.putFiles([fileOfBytes(CHECKPOINT_FILE, bytes)], { ...put, type: CHECKPOINT_TYPE, outputKey: 'checkpoint' }));
      return { ...job, tuner: { case: 'trial', value: { ...outcome, checkpoint: version.name } } };
    },
  };
}

async function readCheckpoint(version: string, cache: VersionCache): Promise<TrainingState> {
  const bytes = await readFile(await cache.file(version, CHECKPOINT_FILE));
  // The cache has checked the bytes against the version's manifest.
  return decodeJobState({ bytes, digest: digestOf(bytes) }).state;
}

const toDiscoveryOutcome = ({ algorithm, options, objectives, hyperparameters }: Discovery): DiscoveryOutcome => create(DiscoveryOutcomeSchema, {
  algorithm, optionsJson: JSON.stringify(options), hyperparametersJson: formatHyperparameters(hyperparameters),
  objectives: objectives.map(({ metric, direction }) => ({ metric, direction: DIRECTIONS[direction] })),
});

const toTrialOutcome = ({ hyperparameters, executions }: TrialResult): TrialOutcome => create(TrialOutcomeSchema, {
  hyperparametersJson: formatHyperparameters(hyperparameters),
  executions: executions.map(({ firstEpoch, objectives }) => ({ firstEpoch, objectives: objectives.map(({ name, values }) => ({ name, values: [...values] })) })),
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function checkSize(what: string, bytes: number): void {
  if (bytes > MAX_RESULT_BYTES) throw new TrainingError('RESULT_TOO_LARGE', `${what} is ${bytes} bytes of JSON, at most ${MAX_RESULT_BYTES} can be kept: offer fewer choices, or train fewer epochs in one trial`);
}
