/**
 * A module on one member, as a course of action that waits: libs/training's calls, steps and states in miniature, over the
 * real elastic collective.
 *
 * 1. The step is pure: nothing of the state changes before all buckets have arrived; then it changes at once.
 * 2. A finished call is answered from the log; the running one is entered where the state stands.
 */
import { createHash } from 'node:crypto';
import { foldTree, CollectiveError, type Collective, type Position } from '@lockstep/reduction';
import type { ElasticCollective, ProgressPoint, Wait } from '@lockstep/membership';
import type { Moment } from '../checks/witness';
import { callDigest, rateOf } from '../workload/calls';
import { applyBucket, applyStatistics, EVALUATION_ELEMENTS, evaluationPart, gradients, initialModel, modelDigest, stepBuckets, stepValues, type ModelState } from '../workload/model';
import type { WorkloadData } from '../workload/rows';
import { addToBooks, decodeState, digestOf, encodeState, NO_BOOKS, type EncodedState, type LoggedCall, type RunningCall, type TrainingState } from '../workload/training-state';
import type { FitCall, Workload } from '../workload/workload';
import type { PlantedBug } from './bugs';
import { splitProgress } from './handed-state';
import type { ProgressEntry } from './messages';

/** What a module waits for: what the collective waits for, and its own work. */
export type ModuleWait = Wait | { readonly kind: 'COMPUTE'; readonly durationMs: number };
export type ModuleCourse<T> = Generator<ModuleWait, T, Collective | Float32Array | undefined>;

/** How a member begins. */
export type Entrance =
  | { readonly kind: 'START'; readonly resume: TrainingState | undefined }
  | { readonly kind: 'JOIN'; readonly calls: readonly LoggedCall[]; readonly prepared: () => void };

export interface ModuleParts {
  readonly workload: Workload;
  readonly data: WorkloadData;
  readonly collective: ElasticCollective;
  readonly entrance: Entrance;
  readonly bug: PlantedBug | undefined;
  /** How much longer than the workload says this member computes. */
  readonly slowness: number;
  readonly tell: (entry: ProgressEntry) => void;
  /** Progress that leads to the state that a joiner was handed. */
  readonly handed: (entries: readonly ProgressEntry[]) => void;
  /** A step was applied, and the state is exact. */
  readonly stepDone: (module: ModuleRun) => void;
  readonly moment: (moment: Moment) => void;
}

const regrouped = (e: unknown): boolean => e instanceof CollectiveError && e.reason === 'REGROUPED';

export class ModuleRun {
  books = NO_BOOKS;
  /** Digest of the model that was exported last; undefined when this process has exported none. */
  exported: string | undefined;
  /** Whether the state can be handed on: not while callbacks run. */
  exact = true;
  private calls: LoggedCall[] = [];
  private running: RunningCall | null = null;
  private model: ModelState;
  private awaited: TrainingState | undefined;
  private joining: Extract<Entrance, { kind: 'JOIN' }> | undefined;

  constructor(private readonly parts: ModuleParts) {
    this.model = initialModel(parts.workload);
    if (parts.entrance.kind === 'JOIN') this.joining = parts.entrance;
    else this.awaited = parts.entrance.resume;
  }

  get finishedCalls(): number {
    return this.calls.length;
  }

  /** Whether it waits to be handed the state. */
  get isJoining(): boolean {
    return this.joining !== undefined;
  }

  state(): EncodedState {
    const { books, calls, running, model } = this;
    return encodeState({ books, calls, running, model });
  }

  /** The whole module. */
  *run(): ModuleCourse<void> {
    const { workload } = this.parts;
    for (const [number, call] of workload.calls.entries()) {
      const digest = callDigest(workload, this.calls, number);
      const record = yield* this.recordOf(number);
      if (record) {
        if (record.digest !== digest) throw new CollectiveError('CALL_MISMATCH', `call ${number} is answered from the log of another one`);
        this.calls = [...this.calls, record];
        if (this.awaited?.running === null && this.calls.length === this.awaited.calls.length) this.adopt(this.awaited);
        continue;
      }
      const resumed = this.enter(number);
      const position: Position = { call: number, epoch: 0, phase: call.kind === 'export' ? 'EXPORT' : 'TRAIN', step: 0 };
      if (!resumed) {
        yield* this.parts.collective.agreeing(position, claimOf(digest, call.kind));
        this.tell({ call: number, epoch: 0, step: 0, kind: 'CALL_STARTED' });
      }
      const result = call.kind === 'fit' ? yield* this.fit(number, call, resumed ?? startOf(digest))
        : call.kind === 'evaluate' ? yield* this.evaluateCall(number, call.rounds, resumed ?? startOf(digest))
          : yield* this.export(number);
      const ended = { kind: call.kind, digest, result };
      this.running = null;
      this.calls = [...this.calls, ended];
      this.tell({ call: number, epoch: 0, step: 0, kind: 'CALL_ENDED' }, { digest: `${digest} ${result}`, call: ended });
    }
  }

  /** The finished call with a number; a member that joins asks for the state when the calls that it was told of are over. */
  private *recordOf(number: number): ModuleCourse<LoggedCall | undefined> {
    const { joining, parts } = this;
    if (joining) {
      const told = joining.calls[parts.bug === 'JOINER_ANSWERED_FROM_WRONG_CALL' ? Math.max(0, number - 1) : number];
      if (told && number < joining.calls.length) return parts.bug === 'JOINER_ANSWERED_FROM_WRONG_CALL' ? { ...told, kind: parts.workload.calls[number]?.kind ?? '', digest: callDigest(parts.workload, this.calls, number) } : told;
      joining.prepared();
      this.parts.moment('JOINING');
      const { bytes } = yield* parts.collective.joining({ check: checkDigest(parts.bug) });
      const { state, entries } = splitProgress(bytes);
      parts.handed(entries);
      this.awaited = decodeState(state);
      this.joining = undefined;
    }
    return this.awaited?.calls[number];
  }

  /** Restores the state that was waited for. @returns the running call that it stands in the middle of */
  private enter(number: number): RunningCall | undefined {
    const state = this.awaited;
    if (!state) return undefined;
    if (state.calls.length !== number) throw new CollectiveError('CALL_MISMATCH', `the state stands in call ${state.calls.length}, and this member has come to call ${number}`);
    this.adopt(state);
    return state.running ?? undefined;
  }

  private adopt({ books, model }: TrainingState): void {
    this.books = books;
    this.model = model;
    this.awaited = undefined;
  }

  private *fit(number: number, call: FitCall, start: RunningCall): ModuleCourse<number> {
    const { collective } = this.parts;
    const data = this.parts.data.fit(number, call);
    this.running = start;
    for (let run = start; run.epoch < call.epochs; run = this.running) {
      const { epoch } = run;
      const end = Math.min(data.steps, (epoch + 1) * data.stepsPerEpoch);
      while (run.step < end) {
        yield* collective.atBoundary();
        const values = yield* this.trainStep({ call: number, epoch, phase: 'TRAIN', step: run.step }, call);
        this.books = addToBooks(this.books, values);
        const { step } = run;
        run = this.running = { ...run, step: step + 1, epochLoss: run.epochLoss + values.loss };
        this.tell({ call: number, epoch, step, kind: 'STEP' }, { digest: modelDigest(this.model, `${number} ${step}`) });
        this.parts.stepDone(this);
        this.parts.moment('APPLIED');
      }
      while (run.validationRound < call.validationRounds) {
        yield* collective.atBoundary();
        const loss = yield* this.evaluationRound([number, 1 + epoch, run.validationRound], { call: number, epoch, phase: 'EVAL', step: run.validationRound });
        run = this.running = { ...run, validationRound: run.validationRound + 1, validationLoss: Math.fround(run.validationLoss + loss) };
      }
      let total = run.epochLoss + run.validationLoss;
      if (call.evaluatesInCallback) total += yield* this.callback(number, epoch);
      const last = Math.fround((run.history.at(-1) ?? 0) / 2 + total);
      this.running = { digest: run.digest, epoch: epoch + 1, step: run.step, validationRound: 0, validationLoss: 0, epochLoss: 0, history: [...run.history, last] };
      this.tell({ call: number, epoch, step: 0, kind: 'EPOCH_ENDED' }, { digest: `${last}` });
    }
    return this.running.history.at(-1) ?? 0;
  }

  /** An evaluation of its own: it too is entered in its middle. */
  private *evaluateCall(number: number, rounds: number, start: RunningCall): ModuleCourse<number> {
    this.running = start;
    for (let run = start; run.validationRound < rounds; run = this.running) {
      yield* this.parts.collective.atBoundary();
      const loss = yield* this.evaluationRound([number, 0, run.validationRound], { call: number, epoch: 0, phase: 'EVAL', step: run.validationRound });
      this.running = { ...run, validationRound: run.validationRound + 1, validationLoss: Math.fround(run.validationLoss + loss) };
    }
    return this.running.validationLoss;
  }

  /** A callback that evaluates: what it has done so far is in no state. */
  private *callback(call: number, epoch: number): ModuleCourse<number> {
    const position: Position = { call, epoch, phase: 'CALLBACKS', step: 0 };
    this.exact = false;
    this.parts.moment('CALLBACK');
    yield* this.parts.collective.agreeing(position, claimOf(digestOf('callback'), 'evaluate in a callback'));
    const loss = yield* this.evaluationRound([call, 1001 + epoch, 0], position);
    yield { kind: 'COMPUTE', durationMs: this.parts.workload.computeMs };
    this.exact = true;
    return loss;
  }

  private *trainStep(position: Position, call: FitCall): ModuleCourse<ReturnType<typeof stepValues>> {
    const { workload, bug } = this.parts;
    const data = this.parts.data.fit(position.call, call);
    const rate = rateOf(this.calls, position.call);
    const present = Array.from({ length: workload.replicas }, (_, replica) => data.rowsOf(position.step, replica).length > 0);
    const contribution = (replica: number): readonly Float32Array[] => gradients(workload, this.model, data.rowsOf(position.step, replica), [position.call, position.step, replica]);
    for (;;) {
      try {
        const early = (bucket: number, sums: Float32Array): void => {
          if (bug === 'COMMIT_BEFORE_ALL_BUCKETS' && bucket === 0) applyBucket(workload, this.model, 0, sums, rate);
          if (bug === 'STATISTICS_APPLIED_TWICE' && bucket === 1) applyStatistics(workload, this.model, sums);
        };
        const order = bug === 'STATISTICS_APPLIED_TWICE' ? [1, 0] : [0, 1];
        const [first, second] = yield* this.reduce(position, stepBuckets(workload), present, contribution, order, early);
        if (!first || !second) throw new RangeError('a step has two buckets');
        if (bug !== 'COMMIT_BEFORE_ALL_BUCKETS') applyBucket(workload, this.model, 0, first, rate);
        applyBucket(workload, this.model, 1, second, rate);
        if (bug !== 'STATISTICS_APPLIED_TWICE') applyStatistics(workload, this.model, second);
        return stepValues(workload, second);
      } catch (e) {
        if (!regrouped(e)) throw e;
        this.parts.moment('REDOING');
      }
    }
  }

  private *evaluationRound(key: readonly number[], position: Position): ModuleCourse<number> {
    const { workload } = this.parts;
    const present = new Array<boolean>(workload.replicas).fill(true);
    for (;;) {
      try {
        const [sum] = yield* this.reduce(position, [EVALUATION_ELEMENTS], present, (replica) => [evaluationPart(workload, this.model, [...key, replica])], [0], () => undefined);
        return Math.fround((sum?.[0] ?? 0) / (sum?.[1] ?? 1));
      } catch (e) {
        if (!regrouped(e)) throw e;
        this.parts.moment('REDOING');
      }
    }
  }

  /** As libs/training's Reducer: own subtrees here, the rest of the tree by the group. The sums are copies. */
  private *reduce(
    position: Position, lengths: readonly number[], present: readonly boolean[], contribution: (replica: number) => readonly Float32Array[],
    order: readonly number[], arrived: (bucket: number, sums: Float32Array) => void,
  ): ModuleCourse<readonly Float32Array[]> {
    const { collective, workload, slowness, moment } = this.parts;
    const own = collective.range;
    const filled = present.slice(own.from, own.to).filter(Boolean).length;
    moment('COMPUTING');
    yield { kind: 'COMPUTE', durationMs: (0.2 + filled) * workload.computeMs * slowness };
    const folded = collective.roots.map((root) => foldTree<readonly Float32Array[]>(root, (replica) => (present[replica] === true ? contribution(replica) : undefined), addAll));
    if (collective.worldSize === 1) return folded[0] ?? [];
    yield* collective.beginning({ position, bucketLengths: lengths, present });
    for (const bucket of lengths.keys()) {
      folded.forEach((sum, root) => {
        const values = sum?.[bucket];
        if (values) collective.input(bucket, root).set(values);
      });
      yield* collective.submitting(bucket);
    }
    moment('WAITING');
    const sums: Float32Array[] = [];
    for (const bucket of order) {
      const taken = (yield* collective.waiting(bucket)).slice();
      sums[bucket] = taken;
      arrived(bucket, taken);
    }
    return sums;
  }

  private *export(number: number): ModuleCourse<number> {
    yield { kind: 'COMPUTE', durationMs: this.parts.workload.computeMs };
    this.exported = modelDigest(this.model, 'model');
    return number;
  }

  private tell(point: ProgressPoint, what: Partial<Pick<ProgressEntry, 'digest' | 'call'>> = {}): void {
    this.parts.tell({ point, digest: '', books: this.books, ...what });
  }
}

const startOf = (digest: string): RunningCall => ({ digest, epoch: 0, step: 0, validationRound: 0, validationLoss: 0, epochLoss: 0, history: [] });

const claimOf = (digest: string, label: string): { readonly digest: Uint8Array; readonly label: string } => ({ digest: createHash('sha256').update(digest).digest(), label });

const addAll = (left: readonly Float32Array[], right: readonly Float32Array[]): readonly Float32Array[] =>
  left.map((bucket, i) => bucket.map((value, at) => value + (right[i]?.[at] ?? NaN)));

const checkDigest = (bug: PlantedBug | undefined) => (bytes: Uint8Array, digest: string): void => {
  if (bug !== 'STATE_OF_A_DYING_PEER' && digestOf(bytes) !== digest) throw new Error('the state that was handed over does not have its digest');
};
