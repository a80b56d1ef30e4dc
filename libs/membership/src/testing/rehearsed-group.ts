/** A group whose members stand in one thread, for tests: each course is followed to its next wait, and sums come when all are there. */
import { CollectiveError, evenPart, foldTree, subtreeRoots, type Collective, type Range, type Round } from '@lockstep/reduction';
import type { Course } from '../recovery/course';

export class RehearsedGroup {
  readonly members: readonly RehearsedMember[];
  private broken: CollectiveError | undefined;

  constructor(readonly replicas: number, readonly worldSize: number) {
    this.members = Array.from({ length: worldSize }, (_, rank) => new RehearsedMember(this, rank));
  }

  /** From here on whatever a member begins, writes, submits or waits for fails. */
  break(error = new CollectiveError('PEER_LOST', 'a peer is gone', { ranks: [0] })): void {
    this.broken = error;
  }

  check(): void {
    if (this.broken) throw this.broken;
  }

  /** The sum over the tree, as all members have submitted it. */
  sums(bucket: number): Float32Array {
    const rounds = this.members.map((member) => member.roundOf(bucket));
    const [first] = rounds;
    if (!first || rounds.some((round) => JSON.stringify(round) !== JSON.stringify(first))) throw new Error('the members are not in the same round');
    const held = new Map(this.members.flatMap((member) => member.roots.map((root, i) => [`${root.from}:${root.to}`, { root, values: member.written(bucket, i) }] as const)));
    const sum = foldTree<Float32Array>({ from: 0, to: this.replicas }, () => undefined, (left, right) => left.map((value, i) => value + (right[i] ?? NaN)), (node) => {
      const found = held.get(`${node.from}:${node.to}`);
      return found && { value: first.present.slice(node.from, node.to).includes(true) ? found.values : undefined };
    });
    if (!sum) throw new Error('no logical replica has rows');
    return sum;
  }
}

export class RehearsedMember implements Collective {
  readonly range: Range;
  readonly roots: readonly Range[];
  private round: Round | undefined;
  private inputs: readonly (readonly Float32Array[])[] = [];
  private submitted: readonly boolean[] = [];

  constructor(private readonly group: RehearsedGroup, readonly rank: number) {
    this.range = evenPart(group.replicas, group.worldSize, rank);
    this.roots = subtreeRoots(group.replicas, this.range);
  }

  get replicas(): number { return this.group.replicas; }
  get worldSize(): number { return this.group.worldSize; }
  boundary(): void {}
  agree(): void { this.group.check(); }
  wait(): never { throw new Error('courses wait'); }
  close(): Promise<void> { return Promise.resolve(); }

  begin(round: Round): void {
    this.group.check();
    this.round = round;
    this.inputs = round.bucketLengths.map((length) => this.roots.map(() => new Float32Array(length).fill(NaN)));
    this.submitted = round.bucketLengths.map(() => false);
  }

  input(bucket: number, root: number): Float32Array {
    this.group.check();
    return this.written(bucket, root);
  }

  submit(bucket: number): void {
    this.group.check();
    this.submitted = this.submitted.map((is, i) => is || i === bucket);
  }

  written(bucket: number, root: number): Float32Array {
    const found = this.inputs[bucket]?.[root];
    if (!found) throw new RangeError(`bucket ${bucket} has no root ${root}`);
    return found;
  }

  roundOf(bucket: number): Round {
    if (!this.round || this.submitted[bucket] !== true) throw new Error(`rank ${this.rank} has not submitted bucket ${bucket}`);
    return this.round;
  }
}

/** What one course came to. */
export type Ending<T> = { readonly kind: 'DONE'; readonly value: T } | { readonly kind: 'THREW'; readonly error: unknown };

/**
 * Follows the courses of all members together.
 *
 * @param next the groups that FORM is answered with, one for each that the members form together
 * @param rankIn rank of a member in a group
 */
export function followAll<T>(courses: readonly Course<T>[], group: RehearsedGroup, next: readonly RehearsedGroup[] = [], rankIn: (member: number, group: RehearsedGroup) => number = (member) => member): readonly Ending<T>[] {
  const endings: (Ending<T> | undefined)[] = courses.map(() => undefined);
  const coming = [...next];
  let current = group;
  const resume = (member: number, go: (course: Course<T>) => ReturnType<Course<T>['next']>): ReturnType<Course<T>['next']> | undefined => {
    const course = courses[member];
    if (!course) return undefined;
    try {
      const result = go(course);
      if (result.done) endings[member] = { kind: 'DONE', value: result.value };
      return result;
    } catch (error) {
      endings[member] = { kind: 'THREW', error };
      return undefined;
    }
  };
  let waits = courses.map((_, member) => resume(member, (course) => course.next()));
  while (endings.includes(undefined)) {
    if (waits.some((wait) => wait?.done === false && wait.value.kind === 'FORM')) {
      const formed = coming.shift();
      if (!formed) throw new Error('a group is formed that nobody expects');
      current = formed;
    }
    const sums = new Map<number, Float32Array | Error>();
    waits = waits.map((wait, member) => {
      if (!wait || wait.done) return wait;
      const { value } = wait;
      switch (value.kind) {
        case 'FORM': return resume(member, (course) => course.next(current.members[rankIn(member, current)]));
        case 'AGREE': return resume(member, (course) => course.next(undefined));
        case 'SUMS': {
          if (!sums.has(value.bucket)) sums.set(value.bucket, attempt(() => {
            current.check();
            return current.sums(value.bucket);
          }));
          const answer = sums.get(value.bucket);
          return resume(member, (course) => (answer instanceof Error ? course.throw(answer) : course.next(answer)));
        }
      }
    });
  }
  return endings.filter((ending) => ending !== undefined);
}

function attempt(make: () => Float32Array): Float32Array | Error {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
