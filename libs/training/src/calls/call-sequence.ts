/**
 * The collective calls of a job, numbered in the order in which the module makes them.
 *
 * 1. A call begins when all members agreed on its number, kind and arguments.
 * 2. A finished call's result is in the log; a process that resumes or joins answers it from there, without computing.
 * 3. The state's models are restored where the log ends: right after its last answer, or on entering the running call.
 * 4. At most one call runs. An evaluation inside its callbacks is part of it and has no number.
 */
import { formatPosition, type Position } from '@lockstep/reduction';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import type { EvaluationProgress, RunState } from '../fit/run';
import type { CallInfo, TrainingContext } from '../runtime';
import type { CallRecord, RunningCallState, StateSnapshot } from '../state/training-state';
import { claimDigest, type CallRequest } from './call-claim';

/** The log is part of every state, so it must not grow without bound. */
export const MAX_CALLS = 100_000;

/** The call that runs now. */
export interface RunningCall {
  readonly info: CallInfo;
  readonly digest: string;
  /** What is done next. */
  position: Position;
  /** Set when the process entered the call in its middle. */
  readonly resumed: RunningCallState | undefined;
  /** What the call keeps between its steps, for the state. */
  capture: () => { readonly run: RunState | null; readonly evaluation: EvaluationProgress | null };
  /** Whether the module's callbacks run at this moment: evaluations in them belong to this call. */
  inCallbacks: boolean;
  callbackRounds: number;
}

/** How a result travels through the log. */
export interface ResultCodec<T> {
  pack(result: T): JsonValue;
  unpack(json: JsonValue): T;
}

type Begun = { readonly kind: 'REPLAYED'; readonly result: JsonValue } | { readonly kind: 'STARTED'; readonly call: RunningCall };

export class CallSequence {
  private readonly log: CallRecord[] = [];
  private running: RunningCall | undefined;
  private awaited: StateSnapshot | undefined;

  constructor(
    private readonly context: TrainingContext,
    resume: StateSnapshot | undefined,
    private joining: { readonly calls: readonly CallRecord[]; readonly enter: () => StateSnapshot } | undefined,
    /** Puts the state that is resumed into the models. */
    private readonly restore: (state: StateSnapshot) => void,
  ) {
    this.awaited = resume;
  }

  /** The number of the next call, or of the running one. */
  get number(): number {
    return this.log.length;
  }

  get finished(): readonly CallRecord[] {
    return this.log;
  }

  get current(): RunningCall | undefined {
    return this.running;
  }

  get position(): Position {
    return this.running?.position ?? { call: this.number, epoch: 0, phase: 'TRAIN', step: 0 };
  }

  /** The running call, where there must be one. */
  require(): RunningCall {
    if (!this.running) throw new Error('no collective call runs');
    return this.running;
  }

  /** Makes an asynchronous call. @throws TrainingError, CollectiveError, or what `body` throws */
  async run<T>(request: CallRequest, codec: ResultCodec<T>, body: (call: RunningCall) => Promise<T>): Promise<T> {
    const begun = this.begin(request);
    if (begun.kind === 'REPLAYED') return codec.unpack(begun.result);
    try {
      this.context.observer.onCallBegin?.(begun.call.info);
      const result = await body(begun.call);
      this.end(begun.call, codec.pack(result));
      return result;
    } finally {
      this.running = undefined;
    }
  }

  /** Makes a synchronous call. @throws TrainingError, CollectiveError, or what `body` throws */
  runSync<T>(request: CallRequest, codec: ResultCodec<T>, body: (call: RunningCall) => T): T {
    const begun = this.begin(request);
    if (begun.kind === 'REPLAYED') return codec.unpack(begun.result);
    try {
      this.context.observer.onCallBegin?.(begun.call.info);
      const result = body(begun.call);
      this.end(begun.call, codec.pack(result));
      return result;
    } finally {
      this.running = undefined;
    }
  }

  /** Agrees on an evaluation inside the running call's callbacks; false when no call runs. */
  beginNested(request: CallRequest): boolean {
    if (!this.running) return false;
    if (!this.running.inCallbacks) throw this.overlap(request);
    const { number } = this.running.info;
    const position: Position = { call: number, epoch: this.running.position.epoch, phase: 'CALLBACKS', step: this.running.callbackRounds };
    this.context.collective.agree(position, { digest: claimDigest(request), label: request.label });
    return true;
  }

  private begin(request: CallRequest): Begun {
    if (this.running) throw this.overlap(request);
    const number = this.number;
    if (number >= MAX_CALLS) {
      throw new TrainingError('TOO_MANY_CALLS', `a job makes at most ${MAX_CALLS} collective calls, and ${request.label} is one more: train in fit() or fitDataset() instead of single batches`);
    }
    const position: Position = { call: number, epoch: 0, phase: request.kind === 'export' ? 'EXPORT' : 'TRAIN', step: 0 };
    const digest = claimDigest(request);
    const info = { number, kind: request.kind, label: request.label, ...(request.extent && { extent: request.extent }), ...(request.data && { data: request.data }) };
    this.context.router.keyAmbient(['call', number]);
    const record = this.recordOf(number);
    if (record) {
      checkSameCall(position, record, request, digest.toString('hex'));
      this.context.observer.onCallBegin?.({ ...info, replayed: true });
      this.log.push(record);
      this.context.router.keyAmbient(['after', number]);
      if (this.awaited && this.awaited.running === null && this.number === this.awaited.calls.length) this.restoreAwaited(this.awaited);
      this.context.observer.onCallEnd?.({ ...info, replayed: true, digest: record.digest, result: record.result });
      return { kind: 'REPLAYED', result: record.result };
    }
    const resumed = this.enter(position, request, digest.toString('hex'));
    if (!resumed) this.context.collective.agree(position, { digest, label: request.label });
    const call: RunningCall = {
      info: { ...info, replayed: false },
      digest: digest.toString('hex'),
      position: resumed?.position ?? position,
      resumed: resumed?.call,
      capture: () => ({ run: null, evaluation: null }),
      inCallbacks: false,
      callbackRounds: resumed?.call.run?.callbackRounds ?? 0,
    };
    this.running = call;
    return { kind: 'STARTED', call };
  }

  /** The finished call with a number. A member that joins asks for the state when the calls that it was told of are over. */
  private recordOf(number: number): CallRecord | undefined {
    const told = this.joining?.calls[number];
    if (told) return told;
    if (this.joining) {
      this.awaited = this.joining.enter();
      this.joining = undefined;
    }
    return this.awaited?.calls[number];
  }

  /** Restores the awaited state when its running call is this one. */
  private enter(position: Position, request: CallRequest, digest: string): { position: Position; call: RunningCallState } | undefined {
    const state = this.awaited;
    if (!state) return undefined;
    if (state.running) checkSameCall(position, state.running, request, digest);
    this.restoreAwaited(state);
    return state.running ? { position: state.position, call: state.running } : undefined;
  }

  private restoreAwaited(state: StateSnapshot): void {
    this.restore(state);
    this.awaited = undefined;
  }

  private end(call: RunningCall, result: JsonValue): void {
    const { number, kind, label } = call.info;
    this.log.push({ kind, label, digest: call.digest, result });
    this.running = undefined;
    this.context.router.keyAmbient(['after', number]);
    this.context.observer.onCallEnd?.({ ...call.info, digest: call.digest, result });
  }

  private overlap(request: CallRequest): TrainingError {
    const running = this.require();
    const where = running.inCallbacks ? 'inside the callbacks of' : 'while';
    return new TrainingError(
      'NESTED_CALL',
      `${request.label} was called ${where} ${running.info.label} (at ${formatPosition(running.position)})${running.inCallbacks ? '' : ' is running'}: ` +
        'all workers make one collective call after the other. Await the first; in callbacks, only evaluate() and evaluateDataset() can be called.',
      { position: running.position },
    );
  }
}

function checkSameCall(position: Position, logged: { kind: string; label: string; digest: string }, request: CallRequest, digest: string): void {
  if (logged.kind === request.kind && logged.digest === digest) return;
  throw new TrainingError(
    'CALL_MISMATCH',
    `the module calls ${request.label}, but the state to resume was written by a run that called ${logged.label} here: the module or its arguments changed, or depend on something else than the job`,
    { position },
  );
}
