/** Checks a run while it happens, and at its end: what it sees is compared with the undisturbed run and with itself. */
import { comparePoints, hasEnded, isStanding, type JobState, type ProgressPoint } from '@lockstep/membership';
import type { StoredVersion } from '../cluster/artifact-service';
import type { Assignment, CheckpointReport, ProgressEntry } from '../cluster/messages';
import { decodeMachine, type StoredJob } from '../cluster/stored-job';
import type { ExpectedPoint, Undisturbed } from '../workload/undisturbed';
import type { Invariant } from './witness';

/** A run that breaks its promises breaks many; the first ones tell. */
const MAX_VIOLATIONS = 20;

const keyOf = ({ call, epoch, step, kind }: ProgressPoint): string => `${kind} ${call} ${epoch} ${step}`;

/** What a check may ask about the world. */
export interface Surroundings {
  nowMs(): number;
  /** Whether a fault has touched a worker so lately that its loss is one. */
  touched(worker: string): boolean;
}

export class Checker {
  readonly violations: string[] = [];
  private readonly expected: ReadonlyMap<string, ExpectedPoint>;
  /** Index of the expected point that is to be committed next. */
  private next = 0;
  private seenEntries = 0;
  private readonly groups = new Map<number, string>();
  private newestAssigned = 0;
  private acknowledged: ProgressPoint | undefined;
  /** Steps of the checkpoints that were stored, by version. */
  private readonly steps = new Map<string, number>();
  /** The newest checkpoint that had been acknowledged, when a generation was assigned. */
  private readonly points = new Map<number, CheckpointReport | undefined>();
  private acknowledgedCheckpoint: CheckpointReport | undefined;

  constructor(private readonly undisturbed: Undisturbed, private readonly around: Surroundings) {
    this.expected = new Map(undisturbed.points.map((one) => [keyOf(one.point), one]));
  }

  violated(invariant: Invariant, what: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(`${invariant} at ${Math.round(this.around.nowMs())} ms: ${what}`);
  }

  told(worker: string, entry: ProgressEntry): void {
    const expected = this.expected.get(keyOf(entry.point));
    if (!expected) this.violated('SAME_BYTES', `${worker} comes to ${keyOf(entry.point)}, where the undisturbed run never is`);
    else if (!sameEntry(entry, expected)) this.violated('SAME_BYTES', `${worker} leaves ${keyOf(entry.point)} with ${entry.digest.slice(0, 12)} and ${JSON.stringify(entry.books)}, the undisturbed run with ${expected.digest.slice(0, 12)} and ${JSON.stringify(expected.books)}`);
  }

  finished(worker: string, stateDigest: string, steps: number): void {
    if (stateDigest === this.undisturbed.stateDigest && steps === this.undisturbed.steps) return;
    this.violated('SAME_BYTES', `${worker} ends with state ${stateDigest.slice(0, 12)} after ${steps} steps, the undisturbed run with ${this.undisturbed.stateDigest.slice(0, 12)} after ${this.undisturbed.steps}`);
  }

  broke(worker: string, error: unknown): void {
    this.violated('NO_INNER_ERROR', `${worker}: ${error instanceof Error ? error.stack?.split('\n').slice(0, 3).join(' ') ?? error.message : String(error)}`);
  }

  assigned({ generation, members }: Assignment): void {
    const group = members.map(({ rank, worker, address, range }) => `${rank} ${worker} ${address} ${range.from}-${range.to}`).join(', ');
    const before = this.groups.get(generation);
    if (before !== undefined && before !== group) this.violated('GENERATION_ONCE', `generation ${generation} is ${group} after it was ${before}`);
    this.groups.set(generation, group);
    this.newestAssigned = Math.max(this.newestAssigned, generation);
    if (before === undefined) this.points.set(generation, this.acknowledgedCheckpoint);
  }

  resumes(worker: string, generation: number, checkpoint: string): void {
    const newest = this.points.get(generation);
    const step = this.steps.get(checkpoint) ?? -1;
    if (newest && step < newest.step) this.violated('NEWEST_CHECKPOINT', `${worker} goes on from "${checkpoint}" in generation ${generation}, when ${newest.version} of step ${newest.step} had been acknowledged`);
  }

  committed(entries: readonly ProgressEntry[]): void {
    this.acknowledged = entries.at(-1)?.point ?? this.acknowledged;
  }

  checkpointAcknowledged(report: CheckpointReport): void {
    if (report.step > (this.acknowledgedCheckpoint?.step ?? -1)) this.acknowledgedCheckpoint = report;
  }

  lost(worker: string, detail: string): void {
    if (!this.around.touched(worker)) this.violated('NO_FALSE_BLAME', `${worker} is given up, and no fault has touched it: ${detail}`);
  }

  /** The database has changed. */
  database({ entries, machine, checkpoints }: StoredJob): void {
    for (const { version, step } of checkpoints) this.steps.set(version, step);
    for (; this.seenEntries < entries.length; this.seenEntries++) {
      const entry = entries[this.seenEntries];
      if (entry) this.commitOne(entry);
    }
    const { state, committed } = decodeMachine(machine);
    if (this.acknowledged && (!committed || comparePoints(committed, this.acknowledged) < 0)) {
      this.violated('DURABLE', `${keyOf(this.acknowledged)} was acknowledged, and ${committed ? keyOf(committed) : 'nothing'} is stored`);
    }
    if (!hasEnded(state) && state.generation < this.newestAssigned) this.violated('DURABLE', `generation ${this.newestAssigned} was assigned, and ${state.generation} is stored`);
    const newest = this.acknowledgedCheckpoint;
    if (newest && !checkpoints.some(({ step }) => step >= newest.step)) this.violated('DURABLE', `${newest.version} was acknowledged, and no checkpoint of step ${newest.step} or later is stored`);
  }

  /** What the run came to. @param ghosts processes of the job that live */
  ended(state: JobState, stored: StoredJob, versions: readonly StoredVersion[], maxRestarts: number, ghosts: readonly string[]): void {
    for (const { version, generation, newestGeneration } of versions) {
      if (generation < newestGeneration) this.violated('FENCED', `${version} was committed by generation ${generation} when ${newestGeneration} had been announced`);
    }
    const models = versions.filter(({ artifact }) => artifact === 'model');
    for (const { digest } of models) if (digest !== this.undisturbed.modelDigest) this.violated('SAME_BYTES', `a model ${digest.slice(0, 12)} was published; the undisturbed run's is ${this.undisturbed.modelDigest.slice(0, 12)}`);
    for (const ghost of ghosts) this.violated('NO_GHOSTS', `${ghost} lives though the job has ended`);
    if (state.kind === 'SUCCEEDED') {
      if (models.length !== 1) this.violated('SAME_BYTES', `${models.length} models were published`);
      if (this.next !== this.undisturbed.points.length) this.violated('EXACTLY_ONCE', `the job succeeded, and ${this.next} of ${this.undisturbed.points.length} points are committed`);
    } else if (state.kind === 'FAILED') {
      const spent = state.failure.message.includes(`restarted ${maxRestarts} of ${maxRestarts} times`);
      if (!spent) this.violated('ALLOWED_FAILURE', `${state.failure.reason}: ${state.failure.message}`);
    } else {
      this.violated('LIVENESS', `the job is ${state.kind}${isStanding(state) ? ` in generation ${state.generation} with ${state.members.length} members` : ''}; ${stored.entries.length} entries are stored`);
    }
  }

  /** Steps may be left out, when the sums of those behind them say so. */
  private commitOne(entry: ProgressEntry): void {
    const { points } = this.undisturbed;
    const at = points.findIndex(({ point }, i) => i >= this.next && keyOf(point) === keyOf(entry.point));
    const found = points[at];
    const skipped = found && points.slice(this.next, at).find(({ point }) => point.kind !== 'STEP' || entry.point.kind !== 'STEP');
    if (found && !skipped && sameEntry(entry, found)) {
      this.next = at + 1;
      return;
    }
    const next = points[this.next];
    this.violated('EXACTLY_ONCE', `${keyOf(entry.point)} with ${JSON.stringify(entry.books)} is committed where ${next ? `${keyOf(next.point)} with ${JSON.stringify(next.books)}` : 'nothing'} is next`);
  }
}

const sameEntry = (entry: ProgressEntry, expected: ExpectedPoint): boolean =>
  entry.digest === expected.digest && JSON.stringify(entry.books) === JSON.stringify(expected.books);
