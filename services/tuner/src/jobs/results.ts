/** What a study has come to, as artifacts. */
import { ExecutionState } from '@lockstep/contract';
import { fileOfBytes, type ArtifactClient, type FileSource } from '@lockstep/client';
import { RpcError } from '@lockstep/rpc';
import { bestHyperparameters, BEST_HYPERPARAMETERS_FILE, ranked, toTrialRecord, tunerResults, TUNER_RESULTS_FILE, type TrackedTrial, type TrialIdOf } from '@lockstep/search';
import { kerasTrialId } from '../keras/keras-trial';
import type { StudyStore } from '../store/study-store';
import type { Tuner } from '../study/tuner';

export type ResultArtifacts = Pick<ArtifactClient, 'putFiles' | 'beginExecution' | 'completeExecution'>;

export interface ResultParts {
  readonly tuner: Pick<Tuner, 'get' | 'noteResults'>;
  readonly store: Pick<StudyStore, 'listTrials'>;
  /** Without it nothing is committed. */
  readonly artifacts?: ResultArtifacts;
}

const PAGE = 1000;
/** Checkpoints that the results are linked with: those of the best trials. */
const MAX_CHECKPOINTS = 500;

/**
 * Commits the best values and the table of a study's trials, in TFX's formats, as versions of artifacts/{study}-hyperparameters and
 * artifacts/{study}-results, linked with the module, the examples and the checkpoints of the best trials, each of which its trial's job has made.
 * Again, it is the same versions. A study of which no trial succeeded has nothing to commit.
 */
export async function publishResults(name: string, { tuner, store, artifacts }: ResultParts): Promise<void> {
  const { study, spec } = await tuner.get(name);
  const template = spec.jobs?.template;
  if (!artifacts || !template || study.state.kind === 'ACTIVE' || study.space.kind === 'DISCOVERING') return;
  const trials = await allTrials(name, store);
  const finished = { space: study.space.space, objectives: study.objectives, trials: trials.map(toTrialRecord) };
  const idOf: TrialIdOf = (number) => kerasTrialId(study, spec, number);
  const best = bestHyperparameters(finished, idOf);
  if (best === undefined) return;
  const id = name.slice('studies/'.length);
  const requestId = `${name.replace('/', '.')}.${study.createdMs.toString(36)}.results.${trials.length}`;
  const inputs = [{ key: 'module', version: template.module }, ...template.examples.map((version) => ({ key: 'examples', version }))];
  const checkpoints = ranked(finished.trials, study.objectives).flatMap(({ number }) => trials[number]?.lineage?.checkpoint ?? []).slice(0, MAX_CHECKPOINTS)
    .map((version) => ({ key: 'checkpoint', version }));
  const begin = (read: typeof inputs) => artifacts.beginExecution({ type: 'Tuner', inputs: read, requestId, labels: [{ key: 'study', value: name }] });
  const { name: execution } = await begin([...inputs, ...checkpoints]).catch((e: unknown) => {
    // Somebody has deleted a checkpoint: the results are worth more than their lineage.
    if (RpcError.from(e).code === 'NOT_FOUND' && checkpoints.length > 0) return begin(inputs);
    throw e;
  });
  const put = async (suffix: string, type: string, file: FileSource): Promise<string> =>
    (await artifacts.putFiles([file], { artifact: `artifacts/${id}-${suffix}`, type, execution, outputKey: suffix, requestId: `${requestId}.${suffix}` })).version.name;
  const hyperparameters = await put('hyperparameters', 'HyperParameters', textFile(BEST_HYPERPARAMETERS_FILE, best));
  const results = await put('results', 'TunerResults', textFile(TUNER_RESULTS_FILE, tunerResults(finished, idOf)));
  await artifacts.completeExecution(execution, ExecutionState.SUCCEEDED);
  await tuner.noteResults(name, { hyperparameters, results, execution, trials: study.nextNumber });
}

const textFile = (path: string, text: string): FileSource => fileOfBytes(path, Buffer.from(text));

/** In the order of their numbers, from 0. */
async function allTrials(name: string, store: ResultParts['store']): Promise<readonly TrackedTrial[]> {
  const trials: TrackedTrial[] = [];
  for (;;) {
    const page = await store.listTrials(name, { from: trials.length, limit: PAGE, measurements: false });
    trials.push(...page.map(({ trial }) => trial));
    if (page.length < PAGE) return trials;
  }
}
