/** A member of an elastic group as a thread: runs a program, survives, joins or dies as its schedule says. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { ElasticCollective, type Membership } from '@lockstep/membership';
import { CollectiveError, LocalCollective, type CallClaim, type Collective, type Position, type Round } from '@lockstep/reduction';
import { installTraining, type Training } from '../install';
import type { ElasticRun, Fault } from './elastic-schedule';
import { loadBackend, type TestBackend } from './load-backend';
import type { OptimizerName } from './models';
import { PROGRAMS, type ProgramName } from './programs';
import { shownVisits } from './run-program';
import { breakGroup, SharedMemoryCollective } from './shared-memory-collective';

export interface ElasticMemberData {
  readonly backend: TestBackend;
  readonly run: ElasticRun;
  readonly member: number;
  readonly program: ProgramName;
  readonly optimizer: OptimizerName;
  readonly seed: number;
}

/** How a member ended. */
export type ElasticOutcome =
  | { readonly kind: 'DIED' }
  | { readonly kind: 'FINISHED'; readonly digest: string; readonly result: string; readonly visits: readonly string[]; readonly generations: readonly number[] };

/** A group that has just formed has no state to hand on yet. */
const OPERATIONS_BEFORE_A_JOIN = 4;

class Death extends Error {}

const data = workerData as ElasticMemberData;
const assigned = new Int32Array(data.run.assigned);
const begun = new Int32Array(data.run.begun);

/** Assigns the generation after this one, and breaks this one. */
function endGeneration(index: number): void {
  if (Atomics.compareExchange(assigned, 0, index, index + 1) !== index) return;
  const group = data.run.groups[index];
  if (group) breakGroup(group);
  Atomics.notify(assigned, 0);
}

/** A group in which this member suffers what the schedule has for it. */
class FaultyCollective implements Collective {
  constructor(private readonly inner: Collective, private readonly index: number, private readonly fault: Fault | undefined, private readonly counter: { operations: number }) {}

  get replicas(): number { return this.inner.replicas; }
  get rank(): number { return this.inner.rank; }
  get worldSize(): number { return this.inner.worldSize; }
  get range(): Collective['range'] { return this.inner.range; }
  get roots(): Collective['roots'] { return this.inner.roots; }
  boundary(): void {}

  agree(position: Position, claim: CallClaim): void {
    this.count();
    this.dieIf('DIES_BEFORE');
    this.inner.agree(position, claim);
    this.after();
  }

  begin(round: Round): void {
    this.count();
    this.dieIf('DIES_BEFORE');
    this.inner.begin(round);
  }

  input(bucket: number, root: number): Float32Array { return this.inner.input(bucket, root); }
  submit(bucket: number): void { this.inner.submit(bucket); }

  wait(bucket: number): Float32Array {
    this.dieIf('DIES_AFTER_SUBMIT');
    const sums = this.inner.wait(bucket);
    this.after();
    return sums;
  }

  close(): Promise<void> { return this.inner.close(); }

  private count(): void {
    this.counter.operations++;
    Atomics.add(begun, this.index, 1);
  }

  private get mine(): Fault | undefined {
    const { fault, counter } = this;
    return fault && fault.operation === counter.operations ? fault : undefined;
  }

  private after(): void {
    this.dieIf('DIES_AFTER');
    this.dieIf('LEAVES_ONE_BEHIND');
    const { mine } = this;
    if (mine?.kind === 'LEAVES_ONE_BEHIND' && mine.laggard === data.member) throw new CollectiveError('PEER_LOST', 'the last sums never came');
  }

  private dieIf(kind: Fault['kind']): void {
    const { mine } = this;
    if (mine?.kind !== kind || mine.member !== data.member) return;
    endGeneration(this.index);
    throw new Death();
  }
}

class ScheduledMembership implements Membership {
  index = -1;
  readonly announced = false;
  readonly formed: number[] = [];
  private readonly counter = { operations: 0 };

  get changed(): boolean {
    return Atomics.load(assigned, 0) > this.index;
  }

  equal(): void {}

  form(): Collective {
    const { generations, groups, replicas } = data.run;
    const first = generations.findIndex(({ members }) => members.includes(data.member));
    // A joiner that is ready ends the generation before its own.
    if (this.index < 0 && first > 0) {
      for (let now = Atomics.load(assigned, 0); now < first - 1; now = Atomics.load(assigned, 0)) Atomics.wait(assigned, 0, now, 50);
      const others = generations[first - 1]?.members.length ?? 0;
      while (Atomics.load(begun, first - 1) < (others === 1 ? 1 : OPERATIONS_BEFORE_A_JOIN * others)) Atomics.wait(assigned, 0, first - 1, 5);
      endGeneration(first - 1);
    }
    for (let now = Atomics.load(assigned, 0); now <= this.index; now = Atomics.load(assigned, 0)) {
      if (Atomics.wait(assigned, 0, now, 30_000) === 'timed-out') throw new Error(`member ${data.member} waited for a generation after ${this.index}`);
    }
    this.index = Atomics.load(assigned, 0);
    const generation = generations[this.index];
    const group = groups[this.index];
    const rank = generation?.members.indexOf(data.member) ?? -1;
    if (!generation || !group || rank < 0) throw new CollectiveError('OVER', `member ${data.member} is not in generation ${this.index}`);
    this.formed.push(this.index);
    this.counter.operations = 0;
    const inner = group.worldSize === 1 ? new LocalCollective(replicas) : new SharedMemoryCollective(group, rank);
    return new FaultyCollective(inner, this.index, generation.fault, this.counter);
  }
}

async function main(): Promise<ElasticOutcome> {
  const tf = await loadBackend(data.backend);
  const membership = new ScheduledMembership();
  const collective = new ElasticCollective(data.run.replicas, membership);
  const joins = data.run.generations[0]?.members.includes(data.member) !== true;
  const visits: string[] = [];
  const check = (bytes: Uint8Array, digest: string): void => {
    if (createHash('sha256').update(bytes).digest('hex') !== digest) throw new Error('the state does not have its digest');
  };
  if (!joins) collective.start();
  const training: Training = installTraining(tf, {
    seed: data.seed, collective, replay: 'SAME_BITS',
    observer: { onStep: (step) => { visits.push(shownVisits(step)); } },
    ...(joins && { join: { calls: [], enter: () => collective.join({ check }) } }),
  });
  collective.provideState({ get exact() { return training.exact; }, take: () => training.state(), check });
  const result = JSON.stringify(await PROGRAMS[data.program](tf, data.optimizer));
  // Others may need what this member has, until the last of them is done.
  const digest = training.state().digest;
  return { kind: 'FINISHED', digest, result, visits, generations: membership.formed };
}

main().then((outcome) => parentPort?.postMessage(outcome), (e: unknown) => {
  if (!(e instanceof Error && e instanceof Death)) throw e;
  parentPort?.postMessage({ kind: 'DIED' } satisfies ElasticOutcome);
});
