import type { Position } from '@lockstep/reduction';
import type { Scalar } from '@tensorflow/tfjs-core';
import type { History, LayersModel, ModelFitArgs } from '@tensorflow/tfjs-layers';
import { AdoptedModel } from './adopted-model';
import { callLabel } from './calls/call-claim';
import { CallSequence, type ResultCodec } from './calls/call-sequence';
import { TrainingError } from './errors';
import { standardizeCallbacks } from './fit/callbacks';
import { evaluate, evaluateDataset } from './fit/evaluate';
import { fitLoop, fitRequest } from './fit/fit';
import { fitDataset, fitDatasetRequest, type FitDatasetArgs } from './fit/fit-dataset';
import type { ElementDataset } from './fit/dataset-batches';
import { historyCodec, numbersCodec } from './fit/history';
import { trainOnBatch, trainOnBatchRequest } from './fit/train-on-batch';
import { checkLayers } from './layers';
import { Patches } from './patches';
import { keyDatasetShuffle } from './random/dataset-shuffle';
import { keyInitialisers } from './random/initialisers';
import { RandomRouter } from './random/random-router';
import type { TrainingContext, TrainingRuntime } from './runtime';
import { captureModels } from './state/capture';
import { OptimizerMemory } from './state/optimizer-memory';
import { restoreModels, restoreSome } from './state/restore';
import { decodeState, encodeState, stateDigest } from './state/state-codec';
import { checkStateOfJob, type StateSnapshot, type TrainingState } from './state/training-state';
import { Reducer } from './step/reducer';
import { checkModel, checkTfjs, modelPrototype, type Tf } from './tfjs';

/** Training as it is installed in this process. */
export interface Training {
  /** What is done next. */
  readonly position: Position;
  /** Number of the next collective call, or of the running one. */
  readonly callNumber: number;
  /**
   * The whole state, the same bytes on every member at the same position. Taken in an observer's onStep, onEpochEnd or
   * onCallEnd it is exact; at other moments callbacks may have been called in part.
   * @throws TrainingError (UNSUPPORTED_OPTIMIZER, UNSUPPORTED_LAYER) when the state cannot hold what a model keeps
   */
  state(): TrainingState;
  /** Whether state() is exact now: not while callbacks run. */
  readonly exact: boolean;
  /** How many models were compiled so far. */
  readonly modelCount: number;
  /**
   * Puts what another job has trained into models of this one: weights, optimizers and statistics. The seeds of the jobs may differ,
   * and so may the numbers of their replicas. Every member does it, between two calls and after the models were compiled.
   * @param from the first of the models, in the order in which they were compiled; each takes the state of the one with its number
   * @throws StateError when the state is none, or of other models; nothing has changed then
   */
  goOnFrom(state: TrainingState, from: number): void;
  /**
   * A collective call whose work every member does, so that it is there whoever dies; one of them is asked for it in the end.
   * The work must not make collective calls. When the process resumes or joins after it, it is not done again.
   * @param kind what is exported: `serving_model`
   * @param label its name, for errors and logs
   * @throws what `work` throws; TrainingError, CollectiveError
   */
  runExport(kind: string, label: string, work: () => Promise<void>): Promise<void>;
  /** Gives tfjs, Math.random and datasets their own methods back. */
  uninstall(): void;
}

/** Marks a LayersModel.prototype that trains for a job, also for another copy of this library. */
const INSTALLED: unique symbol = Symbol.for('lockstep.training.installed');

/**
 * Makes TensorFlow.js train as a member of a job: from here on every model that is compiled is adopted, and its fit,
 * fitDataset, trainOnBatch, evaluate and evaluateDataset are collective calls with the same arguments, History and
 * callbacks as tfjs's. Math.random, unseeded initialisers and Dataset.shuffle draw from the job's seed. Once per
 * process, before the first model is built.
 * @param tf the namespace of @tensorflow/tfjs 4.22.0, with its backend chosen
 * @throws TrainingError (UNSUPPORTED_TFJS, ALREADY_INSTALLED, BAD_ARGUMENT); StateError when runtime.resume is refused
 */
export function installTraining(tf: Tf, runtime: TrainingRuntime): Training {
  if (INSTALLED in tf.LayersModel.prototype) throw new TrainingError('ALREADY_INSTALLED', 'training is installed in this process already: a process trains for one job');
  const { seed, collective } = runtime;
  if (!Number.isSafeInteger(seed)) throw new TrainingError('BAD_ARGUMENT', `the seed must be a safe integer, got ${seed}`);
  checkTfjs(tf);
  const stateOf = ({ bytes, digest }: TrainingState): StateSnapshot => {
    const state = decodeState(bytes, digest);
    checkStateOfJob(state, { seed, replicas: collective.replicas });
    return state;
  };
  const resume = runtime.resume && stateOf(runtime.resume);
  const { join } = runtime;

  const patches = new Patches();
  const router = new RandomRouter(seed, patches);
  const context: TrainingContext = { tf, collective, router, reducer: new Reducer(tf, collective), observer: runtime.observer ?? {}, replay: runtime.replay ?? 'NONE' };
  const models: AdoptedModel[] = [];
  const byModel = new WeakMap<object, AdoptedModel>();
  const joining = join && { calls: join.calls, enter: () => stateOf(join.enter()) };
  const calls = new CallSequence(context, resume, joining, (state) => restoreModels(tf, models, state));
  keyInitialisers(tf, router, patches);
  keyShuffles(context, calls, patches);
  patchModels(context, calls, patches, {
    find: (model) => byModel.get(model),
    adopt: (model) => {
      const internals = checkModel(tf, model);
      checkLayers(internals);
      new OptimizerMemory(tf, internals.optimizer_).read();
      let adopted = byModel.get(model);
      if (!adopted) {
        adopted = new AdoptedModel(models.length, internals);
        byModel.set(model, adopted);
        models.push(adopted);
      }
      adopted.repeatable = false;
    },
  });
  patches.replace(tf.LayersModel.prototype as { [INSTALLED]?: boolean }, INSTALLED, () => true);

  return {
    get position() {
      return calls.position;
    },
    get callNumber() {
      return calls.number;
    },
    get exact() {
      return calls.current?.inCallbacks !== true;
    },
    get modelCount() {
      return models.length;
    },
    goOnFrom: ({ bytes, digest }, from) => restoreSome(tf, models.slice(from), decodeState(bytes, digest)),
    state: () => {
      const { current } = calls;
      const bytes = encodeState({
        seed,
        replicas: collective.replicas,
        position: calls.position,
        calls: calls.finished,
        running: current ? { kind: current.info.kind, label: current.info.label, digest: current.digest, ...current.capture() } : null,
        ...captureModels(tf, models),
      });
      return { bytes, digest: stateDigest(bytes) };
    },
    runExport: (kind, label, work) =>
      calls.run({ kind: 'export', label: callLabel('export', { kind, label }), arguments: { kind, label } }, NOTHING, () => work()),
    uninstall: () => patches.undo(),
  };
}

/** tfjs takes a list of callbacks by its first item: either all are callbacks, or all are plain objects. */
const withCallbacks = (tf: Tf, args: ModelFitArgs): ModelFitArgs =>
  (Array.isArray(args.callbacks) ? { ...args, callbacks: [...standardizeCallbacks(tf, args.callbacks, args.yieldEvery)] } : args);

const NOTHING: ResultCodec<void> = { pack: () => null, unpack: () => undefined };

/** An unseeded shuffle is keyed by where the module makes it: how many it made since the last call ended. */
function keyShuffles({ tf, router }: TrainingContext, calls: CallSequence, patches: Patches): void {
  let call = -1;
  let made = 0;
  keyDatasetShuffle(tf, router, patches, () => {
    if (call !== calls.number) {
      call = calls.number;
      made = 0;
    }
    return [call, made++];
  });
}

interface Adoption {
  find(model: object): AdoptedModel | undefined;
  /** @throws TrainingError (UNSUPPORTED_LAYER, UNSUPPORTED_OPTIMIZER, UNSUPPORTED_TFJS) */
  adopt(model: LayersModel): void;
}

/** Replaces LayersModel's methods; a model that was not compiled keeps tfjs's own, with its error messages. */
function patchModels(context: TrainingContext, calls: CallSequence, patches: Patches, adoption: Adoption): void {
  const { tf } = context;
  const prototype = modelPrototype(tf);
  const scalars = (values: readonly number[]): Scalar | Scalar[] => {
    const [first, ...rest] = values.map((value) => tf.scalar(value));
    return first && rest.length === 0 ? first : [...(first ? [first] : []), ...rest];
  };
  const history: ResultCodec<History> = historyCodec(tf);

  patches.replace(prototype, 'compile', (original) =>
    function (this: LayersModel, args) {
      original.call(this, args);
      adoption.adopt(this);
    },
  );
  patches.replace(prototype, 'fit', (original) =>
    async function (this: LayersModel, x, y, args = {}) {
      const model = adoption.find(this);
      if (!model) return original.call(this, x, y, args);
      return calls.run(fitRequest(context, model, x, y, args), history, () => original.call(this, x, y, withCallbacks(tf, args)));
    },
  );
  patches.replace(prototype, 'fitLoop', (original) =>
    function (this: LayersModel, ...args) {
      const model = adoption.find(this);
      return model ? fitLoop(context, calls.require(), model, args) : original.apply(this, args);
    },
  );
  patches.replace(prototype, 'fitDataset', (original) =>
    async function (this: LayersModel, dataset, args) {
      const model = adoption.find(this);
      if (!model) return original.call(this, dataset, args);
      const source = dataset as unknown as ElementDataset;
      const options = args as FitDatasetArgs;
      return calls.run(fitDatasetRequest(context, model, source, options), history, (call) => fitDataset(context, call, model, source, options));
    },
  );
  patches.replace(prototype, 'trainOnBatch', (original) =>
    async function (this: LayersModel, x, y) {
      const model = adoption.find(this);
      if (!model) return original.call(this, x, y);
      const values = await calls.run(trainOnBatchRequest(context, model, x, y), numbersCodec, (call) => Promise.resolve(trainOnBatch(context, call, model, x, y)));
      const [loss = NaN] = values;
      return values.length === 1 ? loss : [...values];
    },
  );
  patches.replace(prototype, 'evaluate', (original) =>
    function (this: LayersModel, x, y, args = {}) {
      const model = adoption.find(this);
      return model ? scalars(evaluate(context, calls, model, x, y, args)) : original.call(this, x, y, args);
    },
  );
  patches.replace(prototype, 'evaluateDataset', (original) =>
    async function (this: LayersModel, dataset, args) {
      const model = adoption.find(this);
      if (!model) return original.call(this, dataset, args);
      return scalars(await evaluateDataset(context, calls, model, dataset as unknown as ElementDataset, args ?? {}));
    },
  );
}
