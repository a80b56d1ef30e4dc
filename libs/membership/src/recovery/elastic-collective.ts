/**
 * A collective whose members change while the job goes on.
 *
 * 1. Operations are numbered over the whole job. A member has applied an operation, or has not begun to: what a broken
 *    operation has left behind is thrown away.
 * 2. When a group breaks, its survivors form the next one and become equal (resync-plan): who lacks the outcome of the last
 *    operation is handed it, and goes on as if its own group had finished it.
 * 3. An operation that nobody finished is done again. An all-reduce has to be computed anew, since the replicas were dealt
 *    anew: it throws REGROUPED, once the next group stands.
 * 4. Nothing of a broken resync is kept but outcomes that were handed over whole.
 * 5. A generation that is only announced is entered where all have the same sums and none has begun what follows: nothing is done again.
 */
import { CollectiveError, type CallClaim, type Collective, type Position, type Range, type Round } from '@lockstep/reduction';
import { groupOf, sumsOf, type Course, type Wait } from './course';
import { broadcast, gather } from './gather';
import { joinHandover, splitHandover } from './handover';
import type { HandedState, Membership, StateSource } from './membership';
import { decodeNote, encodeNote, firstOf, type ResyncNote } from './resync-note';
import { giveNotice, isNoticed, takeNotice, withNotice } from './notice';
import { concatenate, cut, type Outcome } from './outcome';
import { planResync, ResyncError, type ResyncPlan } from './resync-plan';

/** What this member is in the middle of, or did last: sums are read until the next operation begins. */
type Running =
  | { readonly kind: 'NOTHING' }
  | { readonly kind: 'AGREEING' }
  | { readonly kind: 'REDUCING'; readonly round: Round; readonly announced: boolean; readonly taken: (Float32Array | undefined)[] }
  /** Its sums were handed over by a member that had them. */
  | { readonly kind: 'HANDED_OVER'; readonly buckets: readonly Float32Array[] };

/** How an interrupted operation goes on: another member had finished it, or everybody does it again. */
type Resumption = 'HANDED_OVER' | 'AGAIN';

/** Faults that a next generation does not mend. */
const FINAL: readonly CollectiveError['reason'][] = ['CALL_MISMATCH', 'TOO_LARGE'];

export class ElasticCollective implements Collective {
  private inner: Collective | undefined;
  private operations = 0;
  private outcome: Outcome = { kind: 'NONE' };
  private running: Running = { kind: 'NOTHING' };
  /** The outcome was handed over to this member while it recovered. */
  private served = false;
  /** Buffers of the outcome before the last, to be used again. */
  private spare: readonly Float32Array[] = [];
  private source: StateSource | undefined;
  /** All members know by their sums that the next generation is announced: they enter it at the next boundary. */
  private due = false;

  constructor(
    readonly replicas: number,
    private readonly membership: Membership,
  ) {}

  /** Forms the first group of a member that needs no state: it starts with the job, or resumes it with all others. */
  start(): void {
    this.block(this.starting());
  }

  /**
   * Forms the first group of a member that comes later, and returns the state that it goes on from.
   *
   * @throws CollectiveError when the job ends before
   */
  join(source: Pick<StateSource, 'check'>): HandedState {
    return this.block(this.joining(source));
  }

  /** Where joiners get the state from, once there is one. */
  provideState(source: StateSource): void {
    this.source = source;
  }

  get rank(): number {
    return this.formed.rank;
  }

  get worldSize(): number {
    return this.formed.worldSize;
  }

  get range(): Range {
    return this.formed.range;
  }

  get roots(): readonly Range[] {
    return this.formed.roots;
  }

  /** Operations that this member has completed in the job: the same number on all members at the same point. */
  get completed(): number {
    return this.operations;
  }

  boundary(): void {
    this.block(this.atBoundary());
  }

  /** What a member calls that has finished, while others have not: they may need what it has. */
  attend(): void {
    this.block(this.attending());
  }

  agree(position: Position, claim: CallClaim): void {
    this.block(this.agreeing(position, claim));
  }

  begin(round: Round): void {
    this.block(this.beginning(round));
  }

  input(bucket: number, root: number): Float32Array {
    const { running } = this;
    // What is written there goes nowhere: the sums are known already.
    if (running.kind === 'HANDED_OVER') return new Float32Array(running.buckets[bucket]?.length ?? 0);
    try {
      const input = this.formed.input(bucket, root);
      return running.kind === 'REDUCING' && this.isNoticed(bucket) ? giveNotice(input, running.announced) : input;
    } catch (e) {
      this.mendable(e);
      // The group has just broken: submit() finds it, where the next group can be waited for.
      return new Float32Array(running.kind === 'REDUCING' ? running.round.bucketLengths[bucket] ?? 0 : 0);
    }
  }

  submit(bucket: number): void {
    this.block(this.submitting(bucket));
  }

  wait(bucket: number): Float32Array {
    return this.block(this.waiting(bucket));
  }

  close(): Promise<void> {
    return this.inner?.close() ?? Promise.resolve();
  }

  private get formed(): Collective {
    if (!this.inner) throw new CollectiveError('CLOSED', 'this member is in no group yet');
    return this.inner;
  }

  /** As start(). */
  *starting(): Course<void> {
    for (let why: CollectiveError | undefined; ;) {
      try {
        yield* this.regroup(why);
        return;
      } catch (e) {
        why = this.mendable(e);
      }
    }
  }

  /** As join(). */
  *joining(source: Pick<StateSource, 'check'>): Course<HandedState> {
    for (let why: CollectiveError | undefined; ;) {
      try {
        const state = yield* this.regroup(why, source);
        if (!state) throw new CollectiveError('PROTOCOL', 'this member joined a running job and was handed no state');
        return state;
      } catch (e) {
        why = this.mendable(e);
      }
    }
  }

  /** As boundary(). */
  *atBoundary(): Course<void> {
    const { changed, announced } = this.membership;
    if (!this.due && (!changed || (announced && this.formed.worldSize > 1))) return;
    yield* this.enterNext();
  }

  /** As attend(). */
  *attending(): Course<void> {
    if (this.membership.changed) yield* this.enterNext();
  }

  private *enterNext(): Course<void> {
    this.running = { kind: 'NOTHING' };
    yield* this.recover(undefined);
  }

  /** As agree(). */
  *agreeing(position: Position, claim: CallClaim): Course<void> {
    yield* this.atBoundary();
    this.running = { kind: 'AGREEING' };
    for (;;) {
      try {
        yield { kind: 'AGREE', inner: this.formed, position, claim };
        this.complete({ kind: 'WORD' });
        return;
      } catch (e) {
        if ((yield* this.recover(this.mendable(e))) === 'HANDED_OVER') return;
      }
    }
  }

  /** As begin(). */
  *beginning(round: Round): Course<void> {
    const { changed, announced } = this.membership;
    this.running = { kind: 'REDUCING', round, announced: changed && announced, taken: round.bucketLengths.map(() => undefined) };
    try {
      this.formed.begin(this.formed.worldSize > 1 ? withNotice(round) : round);
    } catch (e) {
      yield* this.broken(e);
    }
  }

  /** As submit(). */
  *submitting(bucket: number): Course<void> {
    if (this.running.kind === 'HANDED_OVER') return;
    try {
      this.formed.submit(bucket);
    } catch (e) {
      yield* this.broken(e);
    }
  }

  /** As wait(). */
  *waiting(bucket: number): Course<Float32Array> {
    if (this.running.kind === 'HANDED_OVER') return this.takeHandedOver(bucket);
    try {
      return this.retain(bucket, this.heard(bucket, sumsOf(yield { kind: 'SUMS', inner: this.formed, bucket })));
    } catch (e) {
      yield* this.broken(e);
      return this.takeHandedOver(bucket);
    }
  }

  /** A part of an all-reduce failed. Returns when its sums were handed over. @throws CollectiveError REGROUPED when it is done again */
  private *broken(e: unknown): Course<void> {
    const why = this.mendable(e);
    if ((yield* this.recover(why)) === 'HANDED_OVER') return;
    throw new CollectiveError('REGROUPED', `the group changed, and the operation is done again: ${why.message}`, why.details);
  }

  private isNoticed(bucket: number): boolean {
    return this.formed.worldSize > 1 && this.running.kind === 'REDUCING' && isNoticed(this.running.round, bucket);
  }

  /** The sums without the members' word, which is heeded. */
  private heard(bucket: number, reduced: Float32Array): Float32Array {
    if (!this.isNoticed(bucket)) return reduced;
    const { sums, announced } = takeNotice(reduced);
    this.due ||= announced;
    return sums;
  }

  /** Keeps a bucket's sums until the next operation is complete: a member may need them that is one operation behind. */
  private retain(bucket: number, sums: Float32Array): Float32Array {
    const { running } = this;
    if (running.kind !== 'REDUCING') throw new CollectiveError('PROTOCOL', `bucket ${bucket} is waited for, and no round is open`, { bucket });
    if (running.taken[bucket]) return sums;
    const spare = this.spare[bucket];
    const kept = spare?.length === sums.length ? spare : new Float32Array(sums.length);
    kept.set(sums);
    running.taken[bucket] = kept;
    const buckets = running.taken.filter((taken) => taken !== undefined);
    if (buckets.length === running.taken.length) this.complete({ kind: 'SUMS', buckets });
    return sums;
  }

  private complete(outcome: Outcome): void {
    if (this.outcome.kind === 'SUMS') this.spare = this.outcome.buckets;
    this.operations++;
    this.outcome = outcome;
  }

  private takeHandedOver(bucket: number): Float32Array {
    const { running } = this;
    const found = running.kind === 'HANDED_OVER' ? running.buckets[bucket] : undefined;
    if (!found) throw new CollectiveError('PROTOCOL', `bucket ${bucket} does not exist in the sums that were handed over`, { bucket });
    return found;
  }

  private *recover(why: CollectiveError | undefined): Course<Resumption> {
    for (let cause = why; ;) {
      try {
        yield* this.regroup(cause);
        break;
      } catch (e) {
        cause = this.mendable(e);
      }
    }
    if (!this.served) return 'AGAIN';
    this.served = false;
    this.running = this.running.kind === 'REDUCING' && this.outcome.kind === 'SUMS' ? { kind: 'HANDED_OVER', buckets: this.outcome.buckets } : { kind: 'NOTHING' };
    return 'HANDED_OVER';
  }

  /** Forms the next group and makes its members equal. @returns the state, for a joiner */
  private *regroup(why: CollectiveError | undefined, joiner?: Pick<StateSource, 'check'>): Course<HandedState | undefined> {
    const inner = groupOf(yield { kind: 'FORM', why });
    const state = yield* this.resync(inner, joiner);
    this.inner = inner;
    this.due = false;
    this.membership.equal();
    return state;
  }

  /** @returns the state, for a joiner */
  private *resync(inner: Collective, joiner?: Pick<StateSource, 'check'>): Course<HandedState | undefined> {
    if (inner.worldSize === 1) {
      if (joiner) throw new ResyncError('this member joined a job in which nobody is left');
      return undefined;
    }
    const notes = (yield* gather(inner, encodeNote(this.note(inner, joiner !== undefined)))).map(decodeNote);
    const plan = planResync(notes);
    if (plan.outcome) yield* this.passOutcome(inner, plan.outcome, notes);
    const state = plan.state && (yield* this.passState(inner, plan.state.source, notes, joiner));
    if (plan.deferred.length > 0) {
      throw new CollectiveError('JOIN_DEFERRED', `rank ${plan.deferred.join(', ')} cannot be given the state now`, { ranks: plan.deferred });
    }
    if (joiner) this.operations = plan.completed;
    return state;
  }

  private note(inner: Collective, joiner: boolean): ResyncNote {
    return {
      completed: this.operations,
      first: inner.range.from,
      standing: joiner ? 'JOINER' : this.served ? 'SERVED' : 'APPLIED',
      outcomeElements: this.outcome.kind === 'SUMS' ? this.outcome.buckets.reduce((sum, bucket) => sum + bucket.length, 0) : 0,
      exact: this.source?.exact ?? false,
    };
  }

  /** All take part: an all-reduce reaches everybody. */
  private *passOutcome(inner: Collective, { source, elements, laggards }: NonNullable<ResyncPlan['outcome']>, notes: readonly ResyncNote[]): Course<void> {
    const values = inner.rank === source && this.outcome.kind === 'SUMS' ? concatenate(this.outcome.buckets) : undefined;
    const copy = elements > 0 ? yield* broadcast(inner, source, firstOf(notes, source), elements, values) : new Float32Array(0);
    if (!laggards.includes(inner.rank)) return;
    const { running } = this;
    const lengths = running.kind === 'REDUCING' ? running.round.bucketLengths : [];
    if (lengths.reduce((sum, length) => sum + length, 0) !== elements || running.kind === 'NOTHING') {
      throw new ResyncError(`rank ${source} hands over ${elements} sums; rank ${inner.rank} is in an operation of ${lengths.join(' + ') || 'none'}`);
    }
    const handed: Outcome = running.kind === 'REDUCING' ? { kind: 'SUMS', buckets: cut(copy, lengths) } : { kind: 'WORD' };
    this.operations++;
    this.outcome = handed;
    this.served = true;
  }

  private *passState(inner: Collective, source: number, notes: readonly ResyncNote[], joiner: Pick<StateSource, 'check'> | undefined): Course<HandedState | undefined> {
    const first = firstOf(notes, source);
    const own = inner.rank === source ? this.source?.take() : undefined;
    const values = own && joinHandover(own);
    const sizes = yield* gather(inner, values ? [values.length % 65536, Math.floor(values.length / 65536)] : [0, 0]);
    const announced = sizes[source] ?? [];
    const elements = (announced[0] ?? 0) + (announced[1] ?? 0) * 65536;
    const handed = splitHandover(yield* broadcast(inner, source, first, elements, values));
    if (!joiner) return undefined;
    joiner.check(handed.bytes, handed.digest);
    return handed;
  }

  /** Follows a course by blocking at each of its waits. */
  private block<T>(course: Course<T>): T {
    for (let next = course.next(); ;) {
      if (next.done) return next.value;
      let answer: Collective | Float32Array | undefined;
      try {
        answer = this.perform(next.value);
      } catch (e) {
        next = course.throw(e);
        continue;
      }
      next = course.next(answer);
    }
  }

  private perform(wait: Wait): Collective | Float32Array | undefined {
    switch (wait.kind) {
      case 'FORM':
        return this.membership.form(wait.why);
      case 'AGREE':
        wait.inner.agree(wait.position, wait.claim);
        return undefined;
      case 'SUMS':
        return wait.inner.wait(wait.bucket);
    }
  }

  /** @returns the error, when a next generation may mend it. @throws it, when not */
  private mendable(e: unknown): CollectiveError {
    if (e instanceof CollectiveError && !FINAL.includes(e.reason) && e.reason !== 'OVER') return e;
    throw e;
  }
}
