import { CollectiveError, type Position, type Round } from '@lockstep/reduction';
import { followAll, RehearsedGroup, type Ending } from '../testing/rehearsed-group';
import type { Course, Wait } from './course';
import { ElasticCollective } from './elastic-collective';
import type { Membership } from './membership';

const V = 4;
const POSITION: Position = { call: 0, epoch: 0, phase: 'TRAIN', step: 0 };
const ROUND: Round = { position: POSITION, bucketLengths: [2, 1], present: [true, true, true, true] };

class Scripted implements Membership {
  changed = false;
  announced = false;
  equals = 0;

  form(): never {
    throw new Error('courses wait for a group');
  }

  equal(): void {
    this.equals++;
    this.changed = false;
  }
}

interface Member {
  readonly collective: ElasticCollective;
  readonly membership: Scripted;
}

function members(count: number): readonly Member[] {
  return Array.from({ length: count }, () => {
    const membership = new Scripted();
    return { membership, collective: new ElasticCollective(V, membership) };
  });
}

/** A step of training: each replica adds its number, a hundred times it in the second bucket. */
function* step({ collective }: Member, breaks: () => void = () => undefined): Course<readonly (readonly number[])[]> {
  yield* collective.beginning(ROUND);
  for (const bucket of [0, 1]) {
    if (bucket === 0) breaks();
    collective.roots.forEach(({ from, to }, root) => {
      let sum = 0;
      for (let replica = from; replica < to; replica++) sum += (replica + 1) * (bucket === 0 ? 1 : 100);
      collective.input(bucket, root).fill(sum);
    });
    yield* collective.submitting(bucket);
  }
  const sums: number[][] = [];
  for (const bucket of [0, 1]) sums.push([...(yield* collective.waiting(bucket))]);
  return sums;
}

const SUMS = [[10, 10], [1000]];
const reasonOf = (ending: Ending<unknown> | undefined): string => (ending?.kind === 'THREW' && ending.error instanceof CollectiveError ? ending.error.reason : `${ending?.kind}`);

function started(count: number): { readonly all: readonly Member[]; readonly group: RehearsedGroup } {
  const all = members(count);
  const group = new RehearsedGroup(V, count);
  followAll(all.map(({ collective }) => collective.starting()), group, [group]);
  return { all, group };
}

test('members that start together are equal, and count the same operations', () => {
  const { all, group } = started(2);
  const endings = followAll(all.map((member) => step(member)), group);
  expect(endings).toEqual([{ kind: 'DONE', value: SUMS }, { kind: 'DONE', value: SUMS }]);
  expect(all.map(({ collective, membership }) => [collective.completed, membership.equals])).toEqual([[1, 1], [1, 1]]);
});

test('a group that breaks between begin and submit is found by submit: what is written in between goes nowhere', () => {
  const { all, group } = started(2);
  const next = new RehearsedGroup(V, 2);
  const endings = followAll(all.map((member) => step(member, () => group.break())), group, [next]);
  expect(endings.map(reasonOf)).toEqual(['REGROUPED', 'REGROUPED']);
  expect(followAll(all.map((member) => step(member)), next)).toEqual([{ kind: 'DONE', value: SUMS }, { kind: 'DONE', value: SUMS }]);
});

test('who lacks the sums of the last operation is handed them, and does not compute again', () => {
  const { all, group } = started(2);
  const [ahead, behind] = all;
  if (!ahead || !behind) throw new Error('there are two');
  // Both have submitted; one has its sums when the group breaks.
  const courses = [step(ahead), step(behind)];
  for (const course of courses) course.next();
  const first = group.sums(0);
  const second = group.sums(1);
  courses[0]?.next(first);
  expect(courses[0]?.next(second)).toEqual({ done: true, value: SUMS });
  expect([ahead.collective.completed, behind.collective.completed]).toEqual([1, 0]);
  const next = new RehearsedGroup(V, 2);
  ahead.membership.changed = true;
  const endings = followAll<unknown>([ahead.collective.atBoundary(), (function* (): Course<unknown> {
    const forming = courses[1]?.throw(new CollectiveError('PEER_LOST', 'it is gone', { ranks: [0] }));
    if (!forming || forming.done || !courses[1]) throw new Error('it waits for the next group');
    return yield* resumed(courses[1], forming.value);
  })()], group, [next]);
  expect(endings).toEqual([{ kind: 'DONE', value: undefined }, { kind: 'DONE', value: SUMS }]);
  expect([ahead.collective.completed, behind.collective.completed]).toEqual([1, 1]);
});

/** Goes on with a course that stands at a wait. */
function* resumed<T>(course: Course<T>, wait: Wait): Course<T> {
  for (let asked = wait; ;) {
    const next = course.next(yield asked);
    if (next.done) return next.value;
    asked = next.value;
  }
}

describe('joiners', () => {
  const STATE = { bytes: Uint8Array.of(1, 2, 3, 250), digest: '00'.repeat(32) };

  test('get the state of one that has it, and count on from there', () => {
    const { all: [holder], group } = started(1);
    const [joiner] = members(1);
    if (!holder || !joiner) throw new Error('there are two');
    holder.collective.provideState({ exact: true, take: () => STATE, check: () => undefined });
    holder.membership.changed = true;
    const checked: string[] = [];
    const next = new RehearsedGroup(V, 2);
    const endings = followAll<unknown>([holder.collective.atBoundary(), joiner.collective.joining({ check: (_bytes, digest) => checked.push(digest) })], group, [next]);
    expect(endings[1]).toMatchObject({ kind: 'DONE', value: { bytes: STATE.bytes, digest: STATE.digest } });
    expect(checked).toEqual([STATE.digest]);
    expect(joiner.collective.completed).toBe(holder.collective.completed);
  });

  test('are put off while nobody can give the state, by rank, and are given it in a later group', () => {
    const { all: [holder], group } = started(1);
    const [joiner] = members(1);
    if (!holder || !joiner) throw new Error('there are two');
    const source = { exact: false, take: () => STATE, check: () => undefined };
    holder.collective.provideState(source);
    holder.membership.changed = true;
    const reasons: (string | undefined)[] = [];
    // The second group is formed when the first has been given up.
    const watched = (course: Course<unknown>): Course<unknown> => (function* (): Course<unknown> {
      for (let next = course.next(); ;) {
        if (next.done) return next.value;
        if (next.value.kind === 'FORM' && next.value.why) {
          reasons.push(`${next.value.why.reason} ${next.value.why.details.ranks?.join() ?? ''}`);
          source.exact = true;
        }
        let answer;
        try {
          answer = yield next.value;
        } catch (e) {
          next = course.throw(e);
          continue;
        }
        next = course.next(answer);
      }
    })();
    const endings = followAll([watched(holder.collective.atBoundary()), watched(joiner.collective.joining({ check: () => undefined }))], group, [new RehearsedGroup(V, 2), new RehearsedGroup(V, 2)]);
    expect(reasons).toEqual(['JOIN_DEFERRED 1', 'JOIN_DEFERRED 1']);
    expect(endings[1]).toMatchObject({ kind: 'DONE', value: STATE });
  });

  test('do not go on with a state that is not what its digest says', () => {
    const { all: [holder], group } = started(1);
    const [joiner] = members(1);
    if (!holder || !joiner) throw new Error('there are two');
    holder.collective.provideState({ exact: true, take: () => STATE, check: () => undefined });
    holder.membership.changed = true;
    const endings = followAll<unknown>([holder.collective.atBoundary(), joiner.collective.joining({ check: () => { throw new Error('damaged'); } })], group, [new RehearsedGroup(V, 2)]);
    expect(endings[1]).toMatchObject({ kind: 'THREW', error: new Error('damaged') });
  });
});

test.each(['CALL_MISMATCH', 'TOO_LARGE', 'OVER'] as const)('%s is not mended by another group', (reason) => {
  const { all, group } = started(2);
  group.break(new CollectiveError(reason, 'final'));
  expect(followAll(all.map((member) => step(member)), group).map(reasonOf)).toEqual([reason, reason]);
});

describe('a generation that is announced', () => {
  test('is entered by all at the boundary after the sums that told of it: no operation is done again', () => {
    const { all, group } = started(2);
    const [told, untold] = all;
    if (!told || !untold) throw new Error('there are two');
    Object.assign(told.membership, { changed: true, announced: true });
    // The one that knows does not leave the other alone in an operation that it has begun.
    expect(told.collective.atBoundary().next().done).toBe(true);
    expect(followAll(all.map((member) => step(member)), group)).toEqual([{ kind: 'DONE', value: SUMS }, { kind: 'DONE', value: SUMS }]);
    const next = new RehearsedGroup(V, 1);
    const leaving = untold.collective.atBoundary();
    // The other knows it by the sums, and waits until it is told how to go on.
    expect(leaving.next()).toEqual({ done: false, value: { kind: 'FORM', why: undefined } });
    followAll([told.collective.atBoundary()], group, [next]);
    expect(told.collective).toMatchObject({ completed: 1, worldSize: 1 });
    expect(() => leaving.throw(new CollectiveError('OVER', 'it leaves'))).toThrow('it leaves');
    expect(followAll([step(told)], next)).toEqual([{ kind: 'DONE', value: SUMS }]);
  });

  test('is told of no more once it is entered', () => {
    const { all, group } = started(2);
    for (const { membership } of all) Object.assign(membership, { changed: true, announced: true });
    followAll(all.map((member) => step(member)), group);
    const next = new RehearsedGroup(V, 2);
    followAll(all.map(({ collective }) => collective.atBoundary()), group, [next]);
    followAll(all.map((member) => step(member)), next);
    expect(all.map(({ collective }) => collective.atBoundary().next().done)).toEqual([true, true]);
  });

  test('is entered at once by one that is alone, or has finished, and where the group breaks', () => {
    const { all: [alone] } = started(1);
    const { all: [finished] } = started(2);
    const broken = started(2);
    if (!alone || !finished) throw new Error('there is one');
    for (const { membership } of [alone, finished, ...broken.all]) Object.assign(membership, { changed: true, announced: true });
    expect([alone.collective.atBoundary().next(), finished.collective.attending().next()]).toMatchObject([{ value: { kind: 'FORM' } }, { value: { kind: 'FORM' } }]);
    const next = new RehearsedGroup(V, 2);
    expect(followAll(broken.all.map((member) => step(member, () => broken.group.break())), broken.group, [next]).map(reasonOf)).toEqual(['REGROUPED', 'REGROUPED']);
  });

  test('costs one element of the last bucket, of which callers see nothing', () => {
    const { all, group } = started(2);
    const lengths = followAll(all.map((member) => (function* (): Course<readonly number[]> {
      yield* member.collective.beginning(ROUND);
      for (const bucket of [0, 1]) {
        member.collective.roots.forEach((_root, root) => member.collective.input(bucket, root).fill(1));
        yield* member.collective.submitting(bucket);
      }
      return [group.sums(0).length, group.sums(1).length, (yield* member.collective.waiting(0)).length, (yield* member.collective.waiting(1)).length];
    })()), group);
    expect(lengths[1]).toEqual({ kind: 'DONE', value: [2, 2, 2, 1] });
  });
});
